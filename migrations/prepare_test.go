package migrations_test

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"bareed/internal/pg/pgtest"
	"bareed/migrations"
)

func apply(ctx context.Context, url string) (int, error) { return migrations.Apply(ctx, url) }

func countFiles(t *testing.T) int {
	t.Helper()
	names, err := fs.Glob(migrations.FS, "0*.sql")
	if err != nil || len(names) == 0 {
		t.Fatalf("no migrations: %v", err)
	}
	return len(names)
}

// Every const sql… of the program must be a statement PostgreSQL understands on
// the migrated schema: a renamed column is found here, not by a customer.
func TestEveryStatementPrepares(t *testing.T) {
	t.Parallel()
	db := pgtest.Owner(t, pgtest.New(t))
	// Statements about a temporary table of their own transaction.
	all := statements(t)
	_, err := db.Exec(t.Context(), temporaryTables(all))
	if err != nil {
		t.Fatalf("make the temporary tables: %v", err)
	}
	found := 0
	for _, s := range all {
		if skipped(s.text) {
			continue
		}
		found++
		if _, err := db.Prepare(t.Context(), "s"+strconv.Itoa(found), s.text); err != nil {
			t.Errorf("%s %s: %v", s.file, s.name, err)
		}
	}
	if found < 50 {
		t.Errorf("only %d statements were found: the search is broken", found)
	}
}

type statement struct{ file, name, text string }

// statements finds the string constants named sql… in the program's source.
func statements(t *testing.T) []statement {
	t.Helper()
	type named struct{ file, name string }
	var found []named
	values := map[string]map[string]ast.Expr{} // by folder and name
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		folder := filepath.Dir(path)
		if values[folder] == nil {
			values[folder] = map[string]ast.Expr{}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != len(spec.Names) {
				return true
			}
			for i, name := range spec.Names {
				values[folder][name.Name] = spec.Values[i]
				if strings.HasPrefix(strings.ToLower(name.Name), "sql") {
					found = append(found, named{path, name.Name})
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var all []statement
	for _, n := range found {
		if text, ok := constant(values[filepath.Dir(n.file)], ast.NewIdent(n.name)); ok {
			all = append(all, statement{n.file, n.name, text})
		}
	}
	return all
}

// constant evaluates a string literal, a constant of the same package, or a sum
// of them.
func constant(values map[string]ast.Expr, e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(e.Value)
		return s, err == nil && e.Kind == token.STRING
	case *ast.Ident:
		if value, ok := values[e.Name]; ok {
			return constant(values, value)
		}
	case *ast.BinaryExpr:
		a, ok1 := constant(values, e.X)
		b, ok2 := constant(values, e.Y)
		return a + b, ok1 && ok2 && e.Op == token.ADD
	}
	return "", false
}

// skipped are statements that cannot be prepared: commands of DDL, and pieces
// of statements.
func skipped(text string) bool {
	first, _, _ := strings.Cut(strings.TrimSpace(strings.ToLower(text)), " ")
	switch strings.TrimSpace(first) {
	case "select", "with", "insert", "update", "delete":
		return false
	}
	return true
}

// temporaryTables collects the program's own create temporary table statements.
func temporaryTables(all []statement) string {
	var made []string
	for _, s := range all {
		if strings.HasPrefix(strings.TrimSpace(strings.ToLower(s.text)), "create temp") {
			made = append(made, strings.ReplaceAll(s.text, "on commit drop", ""))
		}
	}
	return strings.Join(made, ";\n")
}
