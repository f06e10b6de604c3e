// Package arch holds the table of who may import whom, and the limits on the
// size of functions, files and packages, as a check that go test runs over the
// whole tree. It knows every folder by name and imports none.
package arch

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// module is the import path of the root folder.
const module = "bareed"

// file is one Go file of the tree.
type file struct {
	name   string // slash-separated, from the root
	folder string
	test   bool
	lines  int
	fset   *token.FileSet
	ast    *ast.File
}

// Check reads every Go file below root and returns each breach of the rules as
// one line that begins with the file or folder, and the counts for a summary.
func Check(root string) (faults []string, sum Summary, err error) {
	files, err := read(root)
	if err != nil {
		return nil, sum, err
	}
	for _, f := range files {
		faults = append(faults, importFaults(f)...)
		faults = append(faults, fileFaults(f)...)
		faults = append(faults, functionFaults(f, &sum)...)
		faults = append(faults, disciplineFaults(f)...)
	}
	faults = append(faults, packageFaults(files, &sum)...)
	slices.Sort(faults)
	return faults, sum, nil
}

// read parses the tree. Folders with a go.mod of their own, testdata and hidden
// folders do not belong to it.
func read(root string) ([]file, error) {
	var files []file
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skip(p, filepath.ToSlash(rel), d.Name())
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		f, err := parse(p, filepath.ToSlash(rel))
		files = append(files, f)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the tree: %w", err)
	}
	return files, nil
}

func skip(p, rel, name string) error {
	if rel == "." {
		return nil
	}
	if name == "testdata" || name == "node_modules" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") {
		return fs.SkipDir
	}
	if _, err := os.Stat(filepath.Join(p, "go.mod")); err == nil {
		return fs.SkipDir
	}
	return nil
}

func parse(p, rel string) (file, error) {
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, p, nil, parser.ParseComments)
	if err != nil {
		return file{}, err
	}
	return file{
		name: rel, folder: path.Dir(rel), test: strings.HasSuffix(rel, "_test.go"),
		lines: fset.Position(tree.FileEnd).Line, fset: fset, ast: tree,
	}, nil
}

// importFaults compares a file's imports of the product with the table.
func importFaults(f file) []string {
	rule, ok := ruleFor(f.folder)
	if !ok {
		return []string{fmt.Sprintf("%s: folder %s is not in the table of internal/arch/table.go", f.name, f.folder)}
	}
	var faults []string
	for _, spec := range f.ast.Imports {
		target, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		if spec.Name != nil && spec.Name.Name == "_" && !slices.Contains(blankImports, target) {
			faults = append(faults, fmt.Sprintf("%s: blank import of %s: nothing is wired by an import", f.name, target))
		}
		folder, ours := strings.CutPrefix(target, module+"/")
		if !ours || rule.everything || covers([]string{rule.folder}, folder) {
			continue // another module, or a part of the same
		}
		if slices.Contains(plumbing, folder) && !rule.standardOnly || covers(rule.may, folder) || f.test && covers(inTests, folder) {
			continue
		}
		faults = append(faults, fmt.Sprintf("%s: %s may not import %s", f.name, f.folder, folder))
	}
	return faults
}

// covers tells whether folder is in the list or below an entry of it.
func covers(list []string, folder string) bool {
	return slices.ContainsFunc(list, func(e string) bool { return folder == e || strings.HasPrefix(folder, e+"/") })
}
