// An oxlint plugin with one rule: `import()` takes a plain string. Of the other spellings, no-restricted-imports reads
// none and import/no-dynamic-require only those that are put together at run time, so that import(`#cli/main.ts`)
// would jump every fence of .oxlintrc.json.

const message = 'import() takes a plain string here: the fences between the rooms read nothing else';

const plainImport = {
  create: (context) => ({
    ImportExpression(node) {
      if (typeof node.source.value !== 'string') context.report({ message, node: node.source });
    },
  }),
};

export default { meta: { name: 'lateen' }, rules: { 'plain-import': plainImport } };
