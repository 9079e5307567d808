/**
 * The HTTP proxy on the way to a host: the one that its kubeconfig names, else what the environment says (HTTPS_PROXY, NO_PROXY), as
 * kubectl has it. What cannot be used is refused: going past a proxy would be worse than not going.
 */

/** For `proxyEnv` of an agent. */
export function proxyEnv(proxy: string | undefined): NodeJS.ProcessEnv {
  return proxy === undefined ? process.env : { HTTP_PROXY: proxy, HTTPS_PROXY: proxy };
}

/** Why the `proxy-url` of a kubeconfig cannot be used, for people; undefined when it can. Its password is not repeated. Pure. */
export function proxyProblem(proxy: string, node: string = process.versions.node): string | undefined {
  const isHttp = /^https?:\/\//i.test(proxy) && URL.canParse(proxy);
  if (!isHttp) return 'a proxy (proxy-url) that is none for HTTP; name one like http://10.0.0.1:3128';
  if (canProxy(node)) return undefined;
  return `a proxy (proxy-url), which Node ${node} cannot use; start this with Node 24.5 or later, or with 22.21`;
}

/** Older ones ignore the option without a word. */
function canProxy(node: string): boolean {
  const [major = 0, minor = 0] = node.split('.').map(Number);
  return major > 24 || (major === 24 && minor >= 5) || (major === 22 && minor >= 21);
}
