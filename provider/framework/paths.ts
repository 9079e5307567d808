/**
 * Places in a configuration, and diagnostics, as protocol 6 writes them.
 */
import { stripVTControlCharacters } from 'node:util';
import type { Draft } from '../wire/tables.ts';
import type { AttributePath, AttributePathStep, Diagnostic as WireDiagnostic } from '../wire/tfplugin6.ts';
import type { Attributes, Type } from './attributes.ts';
import { type Diagnostic, type Path, pathText } from './diagnostics.ts';
import { caseOf } from './schema.ts';

/**
 * The path as far as the attributes know it: elements of sets cannot be named, and a step that leads nowhere ends the
 * path at the last place that exists, so that Terraform always has something to underline.
 */
export function pathOf(attributes: Attributes, path: Path): Draft<AttributePath> | undefined {
  const steps: Draft<AttributePathStep>[] = [];
  let here: Type | Attributes | undefined = attributes;
  let inside: 'attributes' | 'type' = 'attributes';
  for (const step of path) {
    const next: Next | undefined =
      inside === 'attributes' ? intoAttribute(here as Attributes, step) : intoType(here as Type, step);
    if (next === undefined) break;
    if (next.step !== undefined) steps.push(next.step);
    [here, inside] = [next.here, next.inside];
  }
  return steps.length === 0 ? undefined : { steps };
}

/**
 * Diagnostics for an answer; without a path when no attribute is known to blame, and without what would do something to the
 * terminal: details quote what containers have written.
 *
 * Terraform finds the place of an attribute of a resource, but not of what is inside nested attributes: it would then
 * underline the first line of the resource and say nothing of the path. So the attribute is sent, and the detail names the
 * whole path.
 */
export function diagnosticsOf(
  attributes: Attributes,
  diagnostics: readonly Diagnostic[],
): readonly Draft<WireDiagnostic>[] {
  return diagnostics.map(({ severity, summary, detail, path = [] }) => {
    const attribute = pathOf(attributes, path.slice(0, 1));
    const text = path.length > 1 ? pathText(path) : '';
    return {
      severity: severity === 'error' ? 'ERROR' : 'WARNING',
      summary: harmless(summary),
      detail: harmless(detail.includes(text) ? detail : `${text}: ${detail}`),
      ...(attribute && { attribute }),
    };
  });
}

/** All control characters but tabs and line breaks. */
const control = /[^\P{Cc}\t\n]/gu;

function harmless(text: string): string {
  return stripVTControlCharacters(text).replaceAll(control, '');
}

interface Next {
  readonly step?: Draft<AttributePathStep> | undefined;
  readonly here: Type | Attributes;
  readonly inside: 'attributes' | 'type';
}

function intoAttribute(attributes: Attributes, step: string | number): Next | undefined {
  const attribute = typeof step === 'string' && Object.hasOwn(attributes, step) ? attributes[step] : undefined;
  if (attribute === undefined) return undefined;
  const kind = caseOf(attribute.type);
  const single = kind.is === 'nested' && kind.type.nested === 'single';
  return {
    step: { attributeName: String(step) },
    here: single ? kind.type.attributes : attribute.type,
    inside: single ? 'attributes' : 'type',
  };
}

function intoType(type: Type, step: string | number): Next | undefined {
  const kind = caseOf(type);
  if (kind.is === 'collection') {
    const found = element(kind.type.collection, step);
    return found && { step: found, here: kind.type.of, inside: 'type' };
  }
  if (kind.is !== 'nested') return undefined;
  const found = element(kind.type.nested, step);
  return found && { step: found, here: kind.type.attributes, inside: 'attributes' };
}

function element(
  shape: 'single' | 'list' | 'set' | 'map',
  step: string | number,
): Draft<AttributePathStep> | undefined {
  if (shape === 'list' && typeof step === 'number') return { elementKeyInt: step };
  if (shape === 'map' && typeof step === 'string') return { elementKeyString: step };
  return undefined;
}
