//go:build unix

package bench

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"

	"bareed/internal/devenv"
)

// constant reads a string constant out of the checkout's source: statements
// that only a whole process can run, or that a package keeps to itself.
func constant(file, name string) (string, error) {
	root, err := devenv.Checkout()
	if err != nil {
		return "", err
	}
	tree, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, 0)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", file, err)
	}
	text, found := "", false
	ast.Inspect(tree, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || found || len(spec.Names) != 1 || spec.Names[0].Name != name || len(spec.Values) != 1 {
			return !found
		}
		lit, ok := spec.Values[0].(*ast.BasicLit)
		if !ok {
			return true
		}
		text, err = strconv.Unquote(lit.Value)
		found = err == nil
		return false
	})
	if !found {
		return "", fmt.Errorf("%s has no string constant %s", file, name)
	}
	return text, nil
}
