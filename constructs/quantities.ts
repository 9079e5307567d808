/**
 * Kubernetes quantities that are added up: `500m`, `16Gi`, `2`. What is written is in the form the API server gives back, or
 * Terraform would see a change where there is none. Pure.
 */
import type { Quantity } from '../config/option.ts';

const suffixes: Readonly<Record<string, number>> = {
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
};

const form = /^(?<digits>\d+(?:\.\d+)?)(?<suffix>m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$/;

/** The amount in thousandths, in which every quantity we add is whole; undefined when the text is no quantity. */
export function tryThousandths(quantity: Quantity): number | undefined {
  const parts = form.exec(String(quantity))?.groups;
  if (parts === undefined) return undefined;
  return Math.round(Number(parts['digits']) * (suffixes[parts['suffix'] ?? ''] ?? Number.NaN) * 1000);
}

/** The sum of all of them; in binary units (`Gi`) when one of them is. Throws for what is no quantity. */
export function sum(...quantities: readonly Quantity[]): string {
  const total = quantities.reduce<number>((amount, quantity) => amount + thousandths(quantity), 0);
  return written(
    total,
    quantities.some((quantity) => String(quantity).endsWith('i')),
  );
}

/** The same amount in the form that the API server gives back. */
export function canonical(quantity: Quantity): string {
  return sum(quantity);
}

function thousandths(quantity: Quantity): number {
  const amount = tryThousandths(quantity);
  if (amount === undefined)
    throw new Error(`a quantity must be of the form 500m, 2 or 16Gi, got: ${JSON.stringify(quantity)}`);
  return amount;
}

const binary = ['Pi', 'Ti', 'Gi', 'Mi', 'Ki'] as const;
const decimal = ['P', 'T', 'G', 'M', 'k'] as const;

function written(amount: number, isBinary: boolean): string {
  if (amount % 1000 !== 0) return `${amount}m`;
  const whole = amount / 1000;
  if (whole === 0) return '0';
  const suffix = (isBinary ? binary : decimal).find((each) => whole % (suffixes[each] ?? Number.NaN) === 0);
  return suffix === undefined ? String(whole) : `${whole / (suffixes[suffix] ?? Number.NaN)}${suffix}`;
}
