/**
 * A real Kubernetes on this machine, for tests, examples and the quickstart. API level, in a test:
 *
 *   const host = await startControlPlane({ dir: controlPlaneDir('x-host'), role: 'host', serviceCidr: '10.96.0.0/16', scheduler: true, log: silent });
 *   const virtual = await startControlPlane({ dir: controlPlaneDir('x-virtual'), role: 'virtual', serviceCidr: '10.96.0.0/16', scheduler: false, log: silent });
 *   await startKwok({ kubeconfigPath: host.kubeconfigPath, dir: host.dir });   // pods become Running and Ready
 *   host.kubeconfigPath, host.url, virtual.pki.caCert …                        // what a client or the syncer needs
 *   await virtual.stop('kube-apiserver', 'SIGKILL'); await virtual.start('kube-apiserver'); await virtual.waitReady();
 *   await Promise.all([host.shutdown(), virtual.shutdown()]);                  // in afterAll
 *
 * Node level: `const { kubeconfig } = await up({ nodes: 'real', log })`, `await importImage(archive)`, `await down({ log })`.
 * Names given to controlPlaneDir are fixed per test file: starting again stops what a crashed run left under that name.
 */
export { resolveBinaries, resolveBinary } from './binaries.ts';
export type { PkiPaths } from './control-plane-flags.ts';
export { issueKubeconfig } from './control-plane-pki.ts';
export {
  type Component,
  type ControlPlane,
  type ControlPlaneOptions,
  controlPlanePrograms,
  startControlPlane,
  tryFindControlPlane,
} from './control-plane.ts';
export { type Kwok, type KwokOptions, startKwok } from './kwok.ts';
export { buildImageArchive, type ImageArchive, type ImageConfig } from './image-archive.ts';
export { imageNames } from './images.ts';
export { type Log, silent, toStderr } from './log.ts';
export { cacheDir, controlPlaneDir, stateDir } from './paths.ts';
export { importImage, killContainer } from './node.ts';
export { type ProgramName, versions } from './pins.ts';
export { down, type Nodes, status, type Testbed, up } from './testbed.ts';
