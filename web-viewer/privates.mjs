// Gives what is private to a class of the page a name that begins with an underscore, which the bundler then shortens: what
// nobody outside of a class may say needs no name that says anything. TypeScript knows where each of them stands.
import { readdirSync, readFileSync } from "node:fs";
import ts from "typescript";

/**
 * The sources in `folder` with their private members renamed: a map from path to text.
 * @param {string} folder ends with a slash
 */
export function shortened(folder) {
  const paths = readdirSync(folder).filter((name) => name.endsWith(".ts")).map((name) => folder + name);
  const texts = new Map(paths.map((path) => [path, readFileSync(path, "utf8")]));
  const service = ts.createLanguageService({
    ...ts.sys,
    useCaseSensitiveFileNames: () => ts.sys.useCaseSensitiveFileNames,
    getScriptFileNames: () => paths,
    getScriptVersion: () => "1",
    getScriptSnapshot: (path) => {
      const text = texts.get(path) ?? ts.sys.readFile(path);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getCurrentDirectory: () => folder,
    getCompilationSettings: () => ({
      target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler, strict: true, types: [],
      lib: ["lib.es2022.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"],
    }),
    getDefaultLibFileName: ts.getDefaultLibFilePath,
  });
  /** For each file: where what is to be put in place of how much. */
  const changes = new Map(paths.map((path) => [path, new Map()]));
  for (const path of paths) {
    const source = service.getProgram().getSourceFile(path);
    const visit = (node) => {
      if (node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword)) {
        const found = service.findRenameLocations(path, node.name.getStart(source), false, false, { providePrefixAndSuffixTextForRename: true });
        if (!found) throw new Error(`${path}: ${node.name.text} cannot be renamed`);
        for (const { fileName, textSpan: { start, length }, prefixText = "", suffixText = "" } of found) {
          changes.get(fileName).set(start, { length, text: `${prefixText}_${node.name.text}${suffixText}` });
        }
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  for (const [path, there] of changes) {
    const backwards = [...there].sort(([one], [other]) => other - one);
    texts.set(path, backwards.reduce((text, [start, { length, text: said }]) => text.slice(0, start) + said + text.slice(start + length), texts.get(path)));
  }
  return texts;
}
