import type { Scalar } from 'yaml';

/**
 * YAML as sigs.k8s.io/yaml writes it, and so kubectl and vela do: keys sorted, lists under their key without indent, single
 * quotes where quotes are needed, double ones around text that would be a number, a boolean or nothing.
 */
export async function goYaml(value: unknown): Promise<string> {
  const { Document, visit } = await import('yaml');
  const document = new Document(value, { version: '1.1', sortMapEntries: true, aliasDuplicateObjects: false });
  const looksOther = (text: string): boolean =>
    document.schema.tags.some((tag) => 'test' in tag && tag.default === true && tag.tag !== STRING && tag.test?.test(text) === true);
  visit(document, {
    Scalar: (_, node: Scalar) => {
      if (typeof node.value === 'string' && (node.value === '' || looksOther(node.value))) node.type = 'QUOTE_DOUBLE';
    },
  });
  return document.toString({ lineWidth: 0, indentSeq: false, singleQuote: true });
}

const STRING = 'tag:yaml.org,2002:str';
