package errs_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"bareed/internal/errs"
)

var update = flag.Bool("update", false, "write testdata/catalogue.golden anew")

const golden = "testdata/catalogue.golden"

// The golden file is every sentence in both languages, one page to read when
// words change.
func TestCatalogueGolden(t *testing.T) {
	t.Parallel()
	all := errs.All()
	slices.SortFunc(all, func(a, b errs.Entry) int { return strings.Compare(a.Code, b.Code) })
	var b strings.Builder
	for _, e := range all {
		fmt.Fprintf(&b, "%s %d\n  en %s\n  ar %s\n", e.Code, e.Status, e.EN, e.AR)
	}
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != b.String() {
		t.Errorf("the catalogue changed; read it and run: go test ./internal/errs -update")
	}
}

var (
	place = regexp.MustCompile(`\{([a-z_]+)\}`)
	// A path, a source file, a database's own words. A media type or a time zone
	// has one stroke between two words and is fine.
	inside = regexp.MustCompile(`(^|[\s"])/|\w/\w+/|//|\.go\b|SQLSTATE|pq:|  `)

	code = regexp.MustCompile(`^[a-z0-9_]+(\.[a-z0-9_]+)?$`)
)

func places(s string) []string {
	var names []string
	for _, m := range place.FindAllStringSubmatch(s, -1) {
		if !slices.Contains(names, m[1]) {
			names = append(names, m[1])
		}
	}
	slices.Sort(names)
	return names
}

func TestCatalogueRules(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	for _, e := range errs.All() {
		if seen[e.Code] {
			t.Errorf("%s stands twice", e.Code)
		}
		seen[e.Code] = true
		if !code.MatchString(e.Code) || e.Status != 200 && (e.Status < 400 || e.Status > 599) {
			t.Errorf("%s %d: not a code and a status (200 is for remarks)", e.Code, e.Status)
		}
		if !slices.Equal(places(e.EN), places(e.AR)) {
			t.Errorf("%s: the places differ: %v, %v", e.Code, places(e.EN), places(e.AR))
		}
		for lang, s := range map[string]string{"en": e.EN, "ar": e.AR} {
			if !slices.ContainsFunc([]string{".", "?", "؟", "}"}, func(end string) bool { return strings.HasSuffix(s, end) }) {
				t.Errorf("%s %s: not a sentence: %s", e.Code, lang, s)
			}
			if inside.MatchString(s) {
				t.Errorf("%s %s: shows a path or the inside: %s", e.Code, lang, s)
			}
		}
		if !strings.ContainsFunc(e.AR, func(r rune) bool { return r >= 0x0600 && r <= 0x06ff }) {
			t.Errorf("%s: the Arabic sentence is not Arabic: %s", e.Code, e.AR)
		}
	}
}

// Every code written in the source is in the catalogue, and gets the
// parameters its sentence asks for.
func TestSourceNamesOnlyKnownCodes(t *testing.T) {
	t.Parallel()
	found := 0
	for _, file := range sources(t, "../..") {
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, file, nil, parser.SkipObjectResolution)
		if err != nil {
			continue // the compiler says it better
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if at, ok := codeArgument(call); ok {
				found++
				checkCall(t, set.Position(call.Pos()).String(), call.Args[at:])
			}
			return true
		})
	}
	if found < 50 {
		t.Errorf("only %d uses found: the search is broken", found)
	}
}

// codeArgument tells where the code stands in errs.New and in Error.At.
func codeArgument(call *ast.CallExpr) (int, bool) {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return 0, false
	}
	pkg, _ := sel.X.(*ast.Ident)
	switch {
	case sel.Sel.Name == "New" && pkg != nil && pkg.Name == "errs" && len(call.Args) > 0:
		return 0, true
	case sel.Sel.Name == "At" && len(call.Args) >= 2:
		if lit, ok := call.Args[1].(*ast.BasicLit); ok && lit.Kind == token.STRING && lit.Value != `""` {
			return 1, true
		}
	}
	return 0, false
}

func checkCall(t *testing.T, where string, args []ast.Expr) {
	t.Helper()
	name, ok := literal(args[0])
	if !ok {
		return
	}
	e, ok := errs.Lookup(name)
	if !ok {
		t.Errorf("%s: %q is not in the catalogue", where, name)
		return
	}
	given := make(map[string]bool)
	for i := 1; i < len(args); i += 2 {
		p, ok := literal(args[i])
		if !ok {
			return
		}
		given[p] = true
	}
	for _, want := range places(e.EN) {
		if !given[want] {
			t.Errorf("%s: %s needs the parameter %q", where, name, want)
		}
	}
}

func literal(x ast.Expr) (string, bool) {
	lit, ok := x.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(lit.Value)
	return s, err == nil
}

func sources(t *testing.T, root string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (strings.HasPrefix(d.Name(), ".") && d.Name() != ".." || d.Name() == "testdata" || d.Name() == "node_modules"):
			return filepath.SkipDir
		case strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go"):
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
