import type { Command, Option } from 'commander';
import { isRepeatable, optionName, settableOptions } from '../settings';

type Schema = Readonly<Record<string, unknown>>;

/** The JSON Schema of the configuration file: every option that may be set, for all commands and for each command. */
export function configSchema(program: Command): Schema {
  const known = settableOptions(program);
  const everywhere = new Map([...known.values()].flat().map((option) => [optionName(option), option]));
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    $id: 'domino-vss/config-1',
    title: 'Configuration file of domino-vss',
    description:
      'Options of the command line: for all commands that have them, and, under the name of a command, for that command.',
    type: 'object',
    additionalProperties: false,
    properties: {
      $schema: { type: 'string' },
      ...propertiesOf([...everywhere.values()]),
      ...Object.fromEntries(
        [...known].map(([command, options]) => [
          command,
          { type: 'object', additionalProperties: false, properties: propertiesOf(options) },
        ]),
      ),
    },
  };
}

function propertiesOf(options: readonly Option[]): Schema {
  return Object.fromEntries(options.map((option) => [optionName(option), schemaOf(option)]));
}

function schemaOf(option: Option): Schema {
  const { description } = option;
  if (!option.required && !option.optional) return { description, type: 'boolean' };
  const one = option.argChoices ? { enum: option.argChoices } : { type: ['string', 'number'] };
  return isRepeatable(option) ? { description, anyOf: [one, { type: 'array', items: one }] } : { description, ...one };
}
