import { describe, expect, it } from 'vitest';
import { type Host, parseTemplate, Struct, StructMap, type Value, valueOfJson } from '#api/image/template.ts';

const host: Host = { sha256: (text) => `sha256(${text})` };

function run(template: string, data: Value | object = {}): string {
  const parsed = parseTemplate(template);
  if ('problem' in parsed) return problemText(parsed.problem);
  const rendered = parsed.template.render(isValue(data) ? data : valueOfJson(data), host);
  return 'problem' in rendered ? problemText(rendered.problem) : rendered.text;
}

function isValue(data: Value | object): data is Value {
  return data instanceof Struct || data instanceof Map || data instanceof StructMap;
}

function problemText({ text, line, column }: { text: string; line: number; column: number }): string {
  return `!${line}:${column} ${text}`;
}

const images = { Updated: { Images: ['a:1', 'b:2'], Files: { 'z.yaml': 1, 'a.yaml': 2 } } };

describe('what the specification prints (§5.2, §5.3)', () => {
  it.each([
    ['Image: {{range .Updated.Images}}{{println .}}{{end}}', 'Image: a:1\nb:2\n'],
    ['{{ range $i, $im := .Updated.Images }}{{if $i}}, {{end}}{{$im}}{{end}}', 'a:1, b:2'],
    ['{{range $f, $_ := .Updated.Files}}{{$f}};{{end}}', 'a.yaml;z.yaml;'],
    ['{{ .Updated.Images | join "," }}', 'a:1,b:2'],
    ['{{print 1 2 "x" "y" 3}}', '1 2xy3'],
    ['{{println}}', '\n'],
    ['{{println 1 "a" true}}', '1 a true\n'],
    ['{{.Values.missing}}', '<no value>'],
    ['{{.A.B.C}}', '<no value>'],
  ])('%s', (template, text) => {
    expect(run(template, images)).toBe(text);
  });
});

describe('control', () => {
  it.each([
    ['{{if .A}}yes{{else}}no{{end}}', 'no'],
    ['{{if .B}}b{{else if .Updated}}u{{else}}n{{end}}', 'u'],
    ['{{with .Updated}}{{len .Images}}{{end}}', '2'],
    ['{{with .A}}x{{else}}none{{end}}', 'none'],
    ['{{with .A}}x{{else with .Updated}}{{len .Files}}{{end}}', '2'],
    ['{{range .None}}x{{else}}empty{{end}}', 'empty'],
    ['{{range .Updated.Images}}{{if eq . "b:2"}}{{break}}{{end}}{{.}}{{end}}', 'a:1'],
    ['{{range .Updated.Images}}{{if eq . "a:1"}}{{continue}}{{end}}{{.}}{{end}}', 'b:2'],
    ['{{range 3}}{{.}}{{end}}', '012'],
    ['{{$x := 1}}{{range .Updated.Images}}{{$x = .}}{{end}}{{$x}}', 'b:2'],
    ['{{range .Updated.Images}}{{$.Updated.Images | len}}{{end}}', '22'],
    ['{{with $x := "a"}}{{$x}}{{end}}', 'a'],
    ['a  {{- 1 -}}  b', 'a1b'],
    ['a {{/* nothing */}} b', 'a  b'],
    ['a {{- /* nothing */ -}} b', 'ab'],
    ['{{"a}}b"}}', 'a}}b'],
    ['{{`raw "x"`}}', 'raw "x"'],
    ['{{"\\u00e9\\n"}}', 'é\n'],
    ['{{- 3}} {{-3}}', '3 -3'],
    ['{{1\n|\nprintln}}', '1\n'],
  ])('%s', (template, text) => {
    expect(run(template, images)).toBe(text);
  });
});

describe('functions', () => {
  it.each([
    ['{{and 1 0 "x"}} {{or 0 "" "y"}} {{not true}}', '0 y false'],
    ['{{or 1 (index .Updated.Images 9)}}', '1'],
    ['{{eq 1 2 1}} {{ne "a" "b"}} {{lt 1 2}} {{ge "a" "b"}}', 'true true true false'],
    ['{{len "é"}}', '2'],
    ['{{index .Updated.Images 1}} {{index .Updated "Files" "a.yaml"}}', 'b:2 2'],
    ['{{(index .Updated.Images 0) | upper}}', 'A:1'],
    [
      '{{printf "%s=%d %05d|%-4s|%4s|%q %v %x %.2f %t %%" "a" 1 42 "b" "c" "d\\"" true "hi" 1.5 false}}',
      'a=1 00042|b   |   c|"d\\"" true 6869 1.50 false %',
    ],
    ['{{printf "%d" "a"}} {{printf "%s"}} {{printf "x" 1}}', '%!d(string=a) %!s(MISSING) x%!(EXTRA int=1)'],
    ['{{"hello" | trunc 2}} {{trunc -2 "hello"}} {{substr 1 3 "hello"}}', 'he lo el'],
    [
      '{{replace "l" "L" "hello"}} {{contains "ell" "hello"}} {{trimSuffix "lo" "hello"}} {{trimPrefix "he" "hello"}}',
      'heLLo true hel llo',
    ],
    ['{{(split ":" "a:b")._1}} {{splitList ":" "a:b" | join "-"}}', 'b a-b'],
    ['{{default "d" ""}} {{"v" | default "d"}} {{ternary "t" "f" true}} {{coalesce "" "x"}}', 'd v t x'],
    ['{{quote "a" 1}} {{squote "b"}}', '"a" "1" \'b\''],
    ['{{toJson .Updated.Files}} {{toJson "<a>"}}', '{"a.yaml":2,"z.yaml":1} "<a>"'],
    ['{{sha256sum "x"}}', 'sha256(x)'],
    ['{{regexReplaceAll "a(x*)b" "-ab-axxb-" "${1}W"}} {{regexReplaceAll "^a" "aa" "b"}}', '-W-xxW- ba'],
    ['{{first .Updated.Images}} {{last .Updated.Images}} {{list 3 1 | join ","}} {{(dict "k" "v").k}}', 'a:1 b:2 3,1 v'],
    ['{{uniq (list "a" "b" "a")}} {{sortAlpha (list "b" "a")}}', '[a b] [a b]'],
    ['{{indent 2 "a\\nb"}} {{repeat 3 "x"}}', '  a\n  b xxx'],
    ['{{.Updated.Files}} {{list 1 "a" nil}} {{1e6}} {{0.00001}} {{1.5}}', 'map[a.yaml:2 z.yaml:1] [1 a <nil>] 1000000 1e-05 1.5'],
  ])('%s', (template, text) => {
    expect(run(template, images)).toBe(text);
  });
});

describe('mistakes have a place', () => {
  it.each([
    ['{{range .A}}', '!1:1 {{range}} without {{end}}'],
    ['a\n {{foo}}', '!2:4 there is no function foo'],
    ['{{$x}}', '!1:3 there is no variable $x'],
    ['{{end}}', '!1:1 {{end}} without a beginning'],
    ['{{template "x"}}', '!1:1 {{template}} is not supported'],
    ['{{define "x"}}{{end}}', '!1:1 {{define}} is not supported'],
    ['{{ "abc }}', '!1:4 the text is not closed: " is missing'],
    ['{{ .A', '!1:1 the action is not closed: }} is missing'],
    ['{{/* a }}', '!1:1 the comment is not closed: */}} is missing'],
    ['{{}}', '!1:1 a value is missing'],
    ['{{1 | 2}}', '!1:7 only a function can stand behind |'],
    ['{{.A "x"}}', '!1:3 a value that is no function is given an argument'],
    ['{{nil}}', '!1:3 nil is not a command'],
    ['{{contains "a" 1}}', '!1:3 contains: argument 2 must be a string, received a number; toString makes one'],
    ['{{break}}', '!1:1 {{break}} outside of a range'],
    ['{{range "a"}}{{end}}', '!1:1 {{range}} cannot go over a string'],
    ['{{if 1}}{{else}}{{else}}{{end}}', '!1:17 a second {{else}}'],
    ['{{$x := 1}}{{if 1}}{{$y := 2}}{{end}}{{$y}}', '!1:40 there is no variable $y'],
    ['{{index (list 1) 3}}', '!1:3 index: there is no item 3 in a list of 1'],
    ['{{eq 1 "a"}}', '!1:3 eq: cannot compare a number with a string'],
    ['{{&}}', '!1:3 "&" cannot stand here'],
    ['{{upper}}', '!1:3 upper: takes 1 value, received 0'],
  ])('%s', (template, text) => {
    expect(run(template, images)).toBe(text);
  });

  it('a thing with fixed fields names them', () => {
    const image = new Struct('an image', { Name: 'n' }, 'a:1');
    expect(run('{{.Image.Tag}}', new Map([['Image', image]]))).toBe('!1:3 An image has no field Tag; it has Name');
    expect(run('{{.Image}} {{.Image.Name}} {{contains "1" .Image}}', new Map([['Image', image]]))).toContain('contains: argument 2');
    expect(run('{{contains "1" (toString .Image)}}', new Map([['Image', image]]))).toBe('true');
  });

  it('a map may have things as keys', () => {
    const objects = new StructMap([
      [new Struct('an object', { Kind: 'Pod', Name: 'b' }, 'b'), ['x']],
      [new Struct('an object', { Kind: 'Job', Name: 'a' }, 'a'), ['y']],
    ]);
    expect(run('{{range $o, $images := .O}}{{$o.Kind}}={{join "," $images}};{{end}}{{len .O}}', new Map([['O', objects]]))).toBe(
      'Job=y;Pod=x;2',
    );
  });
});

describe('nothing of the program can be reached, and nothing grows without bound', () => {
  it.each(['{{.constructor}}', '{{.__proto__}}', '{{.Updated.Images.length}}', '{{.toString}}', '{{index . "constructor"}}'])(
    '%s',
    (template) => {
      expect(run(template, images)).toMatch(/^(<no value>|!.*has no field)/);
    },
  );

  it.each([
    ['{{range 100000}}{{println "0123456789"}}{{end}}', /longer than 65536/],
    ['{{range 1000}}{{range 1000}}{{end}}{{end}}', /more than 100000 steps/],
    ['{{range 1000000000}}{{end}}', /more than 100000 steps/],
    ['{{repeat 65000 "ab"}}', /longer than 65536/],
    ['{{$x := list "aaaaaaaaaa"}}{{range 40}}{{$x = list $x $x}}{{end}}{{$x}}', /longer than 65536/],
    ['{{$x := list "a"}}{{range 5000}}{{$x = list $x}}{{end}}{{$x}}', /nested deeper than 100/],
    ['{{$x := "aaaaaaaaaa"}}{{range 40}}{{$x = print $x $x}}{{end}}{{$x}}', /longer than 65536/],
    ['{{$x := repeat 60000 "a"}}{{replace "a" $x $x}}', /longer than 65536/],
    ['{{printf "%2000000000d" 1}}', /width over 1000/],
    [`${'{{if 1}}'.repeat(100)}${'{{end}}'.repeat(100)}`, /more than 50 blocks/],
    [`{{${'('.repeat(100)}1${')'.repeat(100)}}}`, /more than 50 parentheses/],
    ['x'.repeat(20_000), /at most 16384/],
  ])('%#', (template, words) => {
    expect(run(template)).toMatch(words);
  });
});
