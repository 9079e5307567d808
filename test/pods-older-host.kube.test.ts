/**
 * A host that is two versions behind its virtual clusters and cannot resize pods: what it does not know it drops without a word,
 * and that must neither be taken for a change nor be tried for ever.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pods } from '../syncer/model/kubernetes.ts';
import { keyOf } from '../syncer/model/object.ts';
import { census, secondLook } from './support/census.ts';
import { ended, PodStage, running } from './support/pod-stage.ts';

/** Nothing fits: the host pod stays without a node until somebody binds it. */
const nowhere = { nodeSelector: { slot: 'none' } };

let stage: PodStage;

beforeAll(async () => {
  const older = ['--emulated-version=1.34', '--feature-gates=InPlacePodVerticalScaling=false'];
  stage = await PodStage.open('pods-older-host', { apiServerArgs: { host: older, virtual: [] } });
  await stage.node('hand');
});

afterAll(() => stage.close());

describe('fields that the host does not know', () => {
  test('are dropped by it; the pod runs, its author is told, and a second look writes nothing [CORE-24, POD-57, POD-176]', async () => {
    const rules = [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }];
    const containers = [{ name: 'app', image: 'app:1', restartPolicy: 'Never', restartPolicyRules: rules }];
    await stage.create('newer', { containers });
    const { host, virtual } = await stage.running('newer');
    expect(virtual.spec.containers).toMatchObject([{ restartPolicyRules: rules }]);
    expect(host.spec.containers[0]).not.toHaveProperty('restartPolicyRules');
    await stage.warning(virtual.metadata.uid, 'restartPolicyRules');
    await stage.idle();
    const before = await census(stage.pair);
    await secondLook(stage.pair);
    expect(await census(stage.pair)).toEqual(before);
  });
});

describe('a resize [POD-84]', () => {
  test('that the host cannot do stays in the virtual cluster, is told, and holds up no status', async () => {
    const resources = { requests: { cpu: '100m' } };
    const pod = await stage.create('sized', { ...nowhere, containers: [{ name: 'app', image: 'app:1', resources }] });
    const host = await stage.hostWhen('sized');
    const larger = [{ ...pod.spec.containers[0], name: 'app', resources: { requests: { cpu: '200m' } } }];
    await stage.pair.virtual.patch(pods, keyOf(pod), { spec: { containers: larger } }, 'resize');
    const { message } = await stage.warning(pod.metadata.uid, 'pods/resize');
    expect(message).toContain('too old for that, or the feature is switched off');
    await stage.bind('host', host, 'hand');
    await stage.report('sized', running);
    await stage.running('sized');
    await stage.report('sized', ended(0));
    const last = await stage.virtualWhen('sized', ({ status }) => status?.phase === 'Succeeded');
    expect(last.spec.containers).toMatchObject([{ resources: { requests: { cpu: '200m' } } }]);
    expect((await stage.hostWhen('sized')).spec.containers).toMatchObject([{ resources }]);
  });
});
