package arch

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
)

// The limits, in lines. A test's table may be longer than a program's function.
const (
	maxFunction     = 80
	maxTestFunction = 150
	goodFunction    = 40
	maxFile         = 400
	maxTestFile     = 600
	maxPackage      = 2500 // without tests
)

// Summary is counts over the whole tree, without tests.
type Summary struct {
	Functions int
	Long      []string // functions of more than 40 lines
	Packages  map[string]int
}

// LongShare is the percentage of functions of more than 40 lines.
func (s Summary) LongShare() float64 {
	if s.Functions == 0 {
		return 0
	}
	return 100 * float64(len(s.Long)) / float64(s.Functions)
}

func fileFaults(f file) []string {
	limit := maxFile
	if f.test {
		limit = maxTestFile
	}
	if f.lines <= limit || ast.IsGenerated(f.ast) {
		return nil
	}
	return []string{fmt.Sprintf("%s: %d lines, at most %d", f.name, f.lines, limit)}
}

func functionFaults(f file, sum *Summary) []string {
	if ast.IsGenerated(f.ast) {
		return nil
	}
	limit := maxFunction
	if f.test {
		limit = maxTestFunction
	}
	var faults []string
	for _, d := range f.ast.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		n := f.fset.Position(fn.End()).Line - f.fset.Position(fn.Pos()).Line + 1
		if n > limit {
			faults = append(faults, fmt.Sprintf("%s: function %s has %d lines, at most %d", f.name, fn.Name.Name, n, limit))
		}
		if fn.Recv == nil && fn.Name.Name == "init" {
			faults = append(faults, f.name+": func init: build things where they are used")
		}
		if !f.test {
			sum.Functions++
			if n > goodFunction {
				sum.Long = append(sum.Long, fmt.Sprintf("%s: %s has %d lines", f.name, fn.Name.Name, n))
			}
		}
	}
	return faults
}

// packageFaults looks at each folder as a whole: size, name, comment.
func packageFaults(files []file, sum *Summary) []string {
	var faults []string
	sum.Packages = map[string]int{}
	commented, names := map[string]bool{}, map[string]string{}
	for _, f := range files {
		if f.test {
			continue
		}
		if !ast.IsGenerated(f.ast) {
			sum.Packages[f.folder] += f.lines
		}
		names[f.folder] = f.ast.Name.Name
		if doc := f.ast.Doc.Text(); strings.HasPrefix(doc, "Package "+f.ast.Name.Name+" ") || strings.HasPrefix(doc, "Command ") {
			commented[f.folder] = true
		}
	}
	for folder, name := range names {
		if n := sum.Packages[folder]; n > maxPackage {
			faults = append(faults, fmt.Sprintf("%s: %d lines in the package, at most %d: split it", folder, n, maxPackage))
		}
		if !commented[folder] {
			faults = append(faults, fmt.Sprintf("%s: no package comment: what it owns, who calls it, what it must not know", folder))
		}
		if slices.Contains(forbiddenNames, name) {
			faults = append(faults, fmt.Sprintf("%s: a package called %s says nothing about what is in it", folder, name))
		}
	}
	return faults
}

// disciplineFaults finds reads of the environment outside the places for it.
func disciplineFaults(f file) []string {
	if f.test || covers(environment, f.folder) {
		return nil
	}
	var faults []string
	ast.Inspect(f.ast, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		pkg, ok := sel.X.(*ast.Ident)
		if ok && pkg.Name == "os" && slices.Contains([]string{"Getenv", "LookupEnv", "Environ"}, sel.Sel.Name) {
			faults = append(faults, fmt.Sprintf("%s:%d: reads the environment: only cmd does, through internal/config",
				f.name, f.fset.Position(sel.Pos()).Line))
		}
		return true
	})
	return faults
}
