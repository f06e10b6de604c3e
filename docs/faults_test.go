package docs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// faults is how many numbers FAULTS.md has, cases how many of Meta's webhooks,
// schedules how many of schedules.
const (
	faults    = 65
	cases     = 24
	schedules = 18
)

// row is one line of a table of FAULTS.md.
type row struct {
	number string
	cells  []string // fault, behaviour, test
}

var numbered = regexp.MustCompile(`^(W|J|S)?[0-9]+$`)

func rows(page string) []row {
	var all []row
	for line := range strings.Lines(page) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if numbered.MatchString(cells[0]) {
			all = append(all, row{cells[0], cells[1:]})
		}
	}
	return all
}

var (
	named  = regexp.MustCompile("`([a-z/]+) ((?:Test|Fuzz)[A-Za-z0-9]+)`")
	opened = regexp.MustCompile(`Open: \S`)
)

// judge returns what is wrong with a page; has tells whether a package has a test.
func judge(page string, has func(folder, test string) bool) []string {
	var wrong []string
	seen := map[string]int{}
	for _, r := range rows(page) {
		seen[r.number]++
		if len(r.cells) != 3 || r.cells[0] == "" || r.cells[1] == "" {
			wrong = append(wrong, r.number+" has not four filled columns")
			continue
		}
		tests := named.FindAllStringSubmatch(r.cells[2], -1)
		for _, t := range tests {
			if !has(t[1], t[2]) {
				wrong = append(wrong, fmt.Sprintf("%s names %s in %s, which is not there", r.number, t[2], t[1]))
			}
		}
		if strings.Count(r.cells[2], "Test")+strings.Count(r.cells[2], "Fuzz") != len(tests) {
			wrong = append(wrong, r.number+" names a test in a way that cannot be read")
		}
		if len(tests) == 0 && !opened.MatchString(r.cells[2]) {
			wrong = append(wrong, r.number+" has neither a test nor a reason to be open")
		}
	}
	want := map[string]bool{}
	for n := range faults {
		want[strconv.Itoa(n+1)] = true
	}
	for n := range cases {
		want["W"+strconv.Itoa(n+1)] = true
	}
	for n := range schedules {
		want["S"+strconv.Itoa(n+1)] = true
	}
	for n := range want {
		if seen[n] == 0 {
			wrong = append(wrong, n+" is missing")
		}
	}
	for n, times := range seen {
		if times > 1 || !want[n] && !strings.HasPrefix(n, "J") {
			wrong = append(wrong, fmt.Sprintf("%s stands %d times, or is no number", n, times))
		}
	}
	return wrong
}

// The list of faults is true: every number once, every test there.
func TestFaultsAreListedOnce(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("FAULTS.md")
	if err != nil {
		t.Fatal(err)
	}
	sources := map[string]string{}
	has := func(folder, test string) bool {
		if _, read := sources[folder]; !read {
			sources[folder] = source(t, folder)
		}
		return strings.Contains(sources[folder], "\nfunc "+test+"(")
	}
	for _, w := range judge(string(page), has) {
		t.Error(w)
	}
}

// source is all test files of a folder.
func source(t *testing.T, folder string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", filepath.FromSlash(folder), "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	return all.String()
}

// The judge finds each thing that can be wrong.
func TestJudgeOfFaults(t *testing.T) {
	t.Parallel()
	var good strings.Builder
	for n := range faults {
		fmt.Fprintf(&good, "| %d | a fault | a behaviour | `worker TestIt` |\n", n+1)
	}
	for n := range cases {
		fmt.Fprintf(&good, "| W%d | an input | an answer | `api TestIt`, `api TestIt`. Open: more. |\n", n+1)
	}
	for n := range schedules {
		fmt.Fprintf(&good, "| S%d | an input | an answer | `api TestIt` |\n", n+1)
	}
	has := func(_, test string) bool { return test == "TestIt" }
	if wrong := judge(good.String(), has); len(wrong) != 0 {
		t.Fatalf("a good page: %v", wrong)
	}
	for name, change := range map[string][2]string{
		"missing":      {"| 7 | a fault | a behaviour | `worker TestIt` |\n", ""},
		"twice":        {"| 8 | a fault", "| 9 | a fault"},
		"no number":    {"| 65 |", "| 66 |"},
		"no test":      {"| 5 | a fault | a behaviour | `worker TestIt` |", "| 5 | a fault | a behaviour | |"},
		"no reason":    {"| 5 | a fault | a behaviour | `worker TestIt` |", "| 5 | a fault | a behaviour | Open: |"},
		"gone":         {"`worker TestIt`", "`worker TestGone`"},
		"no package":   {"`worker TestIt`", "`TestIt`"},
		"no behaviour": {"| a behaviour |", "| |"},
		"a webhook":    {"| W24 |", "| x |"},
		"a schedule":   {"| S18 |", "| S19 |"},
	} {
		page := strings.Replace(good.String(), change[0], change[1], 1)
		if page == good.String() || len(judge(page, has)) == 0 {
			t.Errorf("%s: nothing is found", name)
		}
	}
}
