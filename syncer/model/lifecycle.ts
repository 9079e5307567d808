/**
 * The one table that decides what happens to an object, from what is known of its two sides. A missing cell does not compile.
 *
 * Host side: `unseen` not there and never was, as far as this process knows · `gone` we had it and somebody deleted it ·
 * `stale` written for a former incarnation of the virtual object · `leaving` the same, on its way out already ·
 * `foreign` there, but not ours (spec NAM-30) · `entrusted` there, and another controller looks after it (spec CORE-09).
 */
export type VirtualSide = 'absent' | 'live' | 'deleting';
export type HostSide = 'unseen' | 'gone' | 'live' | 'stale' | 'deleting' | 'leaving' | 'foreign' | 'entrusted';

export type Step = 'nothing' | 'push' | 'pushAndPull' | 'pull' | 'deleteHost' | 'deleteVirtual' | 'conflict';

export type Lifecycle = Readonly<Record<VirtualSide, Readonly<Record<HostSide, Step>>>>;

/** The default: the virtual side owns the object; a host object deleted by somebody else takes its virtual one with it (CORE-26). */
export const virtualOwns: Lifecycle = {
  absent: {
    unseen: 'nothing',
    gone: 'nothing',
    live: 'deleteHost',
    stale: 'deleteHost',
    deleting: 'nothing',
    leaving: 'nothing',
    foreign: 'nothing',
    entrusted: 'nothing',
  },
  live: {
    unseen: 'push',
    gone: 'deleteVirtual',
    live: 'pushAndPull',
    stale: 'deleteHost',
    deleting: 'nothing',
    leaving: 'nothing',
    foreign: 'conflict',
    entrusted: 'nothing',
  },
  deleting: {
    unseen: 'nothing',
    gone: 'nothing',
    live: 'deleteHost',
    stale: 'deleteHost',
    deleting: 'nothing',
    leaving: 'nothing',
    foreign: 'nothing',
    entrusted: 'nothing',
  },
};

/** For copies that exist only because something uses them: deleted on the host by somebody, they are simply made again. */
export const recreates: Lifecycle = { ...virtualOwns, live: { ...virtualOwns.live, gone: 'push' } };

/**
 * Pods: nobody but the host's kubelet ends them, so a virtual pod that is being deleted goes when the host pod is gone
 * (POD-21), the host's own deletions travel back (POD-22), and status flows until the end (POD-25). One that is gone before that
 * was forced to go, and whatever is left of its host pod's grace period with it (POD-24).
 */
export const podLifecycle: Lifecycle = {
  ...virtualOwns,
  absent: { ...virtualOwns.absent, deleting: 'deleteHost' },
  live: { ...virtualOwns.live, deleting: 'pull', leaving: 'deleteHost' },
  deleting: {
    unseen: 'deleteVirtual',
    gone: 'deleteVirtual',
    live: 'deleteHost',
    stale: 'deleteHost',
    deleting: 'pull',
    leaving: 'nothing',
    foreign: 'deleteVirtual',
    entrusted: 'nothing',
  },
};
