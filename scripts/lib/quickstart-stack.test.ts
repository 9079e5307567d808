/** What the quickstart passes on of Terraform's words. */
import { expect, test } from 'vitest';
import { reasonIn } from './quickstart-stack.ts';

const unreachable = `There are some problems with the CLI configuration:
╷
│ Warning: Unable to open CLI configuration file
│
│ The CLI configuration file at "/home/user/.terraformrc" does not exist.
╵


Error: Failed to query available provider packages

Could not retrieve the list of available versions for provider
hashicorp/kubernetes: could not connect to registry.terraform.io: failed to
request discovery document: Get
"https://registry.terraform.io/.well-known/terraform.json": dial tcp: lookup
registry.terraform.io on 192.0.2.53:53: no such host

To see which modules are currently depending on hashicorp/kubernetes and what
versions are specified, run the following command:
    terraform providers
`;

test('reasonIn() is one line without what leads up to it', () => {
  expect(reasonIn(unreachable)).toBe(
    'could not connect to registry.terraform.io: failed to request discovery document: Get ' +
      '"https://registry.terraform.io/.well-known/terraform.json": dial tcp: lookup registry.terraform.io on 192.0.2.53:53: no such host',
  );
});

test('reasonIn() keeps words that it does not know', () => {
  expect(reasonIn('│ Error: Invalid provider\n│\n│ It is\n│ broken.\n')).toBe('It is broken.');
  expect(reasonIn('something else')).toBe('something else');
});
