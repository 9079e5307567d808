/** The functions of the provider. */
import type { FunctionType } from '../framework/function.ts';
import { hostNameFunction } from './host-name.ts';
import { kubeconfigParse } from './kubeconfig-parse.ts';
import { virtualName } from './virtual-name.ts';

export const functions: readonly FunctionType[] = [kubeconfigParse, hostNameFunction, virtualName];
