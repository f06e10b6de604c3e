package campaigns_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"bareed/campaigns"
	"bareed/internal/pg/pgtest"
	"bareed/messages"
)

var update = flag.Bool("update", false, "write docs/STATES.md anew")

func TestMachinesHaveNoDeadAndNoLostState(t *testing.T) {
	t.Parallel()
	walk(t, "campaign", campaigns.Transitions, campaigns.Draft)
	walk(t, "run", campaigns.RunTransitions, campaigns.RunPlanning)
}

// walk goes forwards from the beginning, which must reach every state, and
// backwards from the ends, which every state must reach.
func walk[S ~string](t *testing.T, name string, machine map[S][]S, begin S) {
	t.Helper()
	back := map[S][]S{}
	var ends []S
	for from, all := range machine {
		if len(all) == 0 {
			ends = append(ends, from)
		}
		for _, to := range all {
			if _, ok := machine[to]; !ok {
				t.Errorf("%s: %s leads to %s, which is no state", name, from, to)
			}
			if from == to {
				t.Errorf("%s: %s leads to itself", name, from)
			}
			back[to] = append(back[to], from)
		}
	}
	for s := range machine {
		if !slices.Contains(reach(machine, begin), s) {
			t.Errorf("%s: %s cannot be reached", name, s)
		}
		if !slices.Contains(reach(back, ends...), s) {
			t.Errorf("%s: %s never ends", name, s)
		}
	}
}

func reach[S ~string](machine map[S][]S, from ...S) []S {
	seen := slices.Clone(from)
	for i := 0; i < len(seen); i++ {
		for _, to := range machine[seen[i]] {
			if !slices.Contains(seen, to) {
				seen = append(seen, to)
			}
		}
	}
	return seen
}

func TestMayIsTheMap(t *testing.T) {
	t.Parallel()
	for from := range campaigns.Transitions {
		for to := range campaigns.Transitions {
			if from.May(to) != slices.Contains(campaigns.Transitions[from], to) {
				t.Errorf("%s to %s: May and the map differ", from, to)
			}
		}
	}
}

func TestStatesAreTheSchemas(t *testing.T) {
	t.Parallel()
	owner := pgtest.Owner(t, pgtest.New(t))
	for table, states := range map[string][]string{
		"campaign": names(campaigns.Transitions), "run": names(campaigns.RunTransitions), "message": names(messages.Transitions()),
	} {
		var def string
		err := owner.QueryRow(t.Context(), `
			select pg_get_constraintdef(oid) from pg_constraint
			where conrelid = $1::regclass and conname = $1 || '_state_check'`, table).Scan(&def)
		if err != nil {
			t.Fatal(err)
		}
		var listed []string
		for _, m := range regexp.MustCompile(`'([a-z_]+)'`).FindAllStringSubmatch(def, -1) {
			listed = append(listed, m[1])
		}
		slices.Sort(listed)
		if !slices.Equal(listed, states) {
			t.Errorf("%s: the schema lists %v, the machine %v", table, listed, states)
		}
	}
}

func names[S ~string](machine map[S][]S) []string {
	var list []string
	for s := range machine {
		list = append(list, string(s))
	}
	slices.Sort(list)
	return list
}

func TestStatesPage(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("# States\n\nGenerated from the code by `go test ./campaigns -run TestStatesPage -update`. What is not listed is refused.\n\n" +
		"A campaign is also *paused* while a person's stop is open and *holding* while a rule's is; both can hold at once.\n")
	page(&b, "Campaign", campaigns.Transitions)
	page(&b, "Run", campaigns.RunTransitions)
	page(&b, "Message", messages.Transitions())
	file := filepath.Join("..", "docs", "STATES.md")
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != b.String() {
		t.Error("docs/STATES.md is out of date: run the test with -update")
	}
}

func page[S ~string](b *strings.Builder, title string, machine map[S][]S) {
	fmt.Fprintf(b, "\n## %s\n\n| from | to |\n|---|---|\n", title)
	for _, from := range slices.Sorted(maps.Keys(machine)) {
		to := make([]string, len(machine[from]))
		for i, s := range machine[from] {
			to[i] = "`" + string(s) + "`"
		}
		if len(to) == 0 {
			to = []string{"(end)"}
		}
		fmt.Fprintf(b, "| `%s` | %s |\n", from, strings.Join(to, ", "))
	}
}
