// Package explain reads the plans that PostgreSQL's auto_explain tells of the
// statements it ran, and finds in them what reads too many rows of a large
// table. The benchmark of plans calls it; it knows no connection.
package explain

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"bareed/internal/bench/report"
)

// Node is a step of a plan as PostgreSQL's EXPLAIN (ANALYZE, BUFFERS, FORMAT
// JSON) gives it.
type Node struct {
	Type      string  `json:"Node Type"`
	Relation  string  `json:"Relation Name"`
	Index     string  `json:"Index Name"`
	Rows      float64 `json:"Actual Rows"`
	Loops     float64 `json:"Actual Loops"`
	Filtered  float64 `json:"Rows Removed by Filter"`
	Rechecked float64 `json:"Rows Removed by Index Recheck"`
	Hit       int64   `json:"Shared Hit Blocks"`
	Read      int64   `json:"Shared Read Blocks"`
	Plans     []Node  `json:"Plans"`
}

// Statement is one statement that was run.
type Statement struct {
	MS   float64
	Plan Node
}

// Parse reads what auto_explain says of a statement in its format json; ok is
// false for any other notice.
func Parse(text string) (s Statement, ok bool) {
	rest, ok := strings.CutPrefix(text, "duration: ")
	if !ok {
		return s, false
	}
	ms, rest, ok := strings.Cut(rest, " ms  plan:")
	if !ok {
		return s, false
	}
	var doc struct{ Plan Node }
	var err error
	if s.MS, err = strconv.ParseFloat(ms, 64); err != nil || json.Unmarshal([]byte(rest), &doc) != nil {
		return s, false
	}
	s.Plan = doc.Plan
	return s, true
}

// Pages is how many pages the step and those below it looked at, in memory or not.
func (n Node) Pages() int64 { return n.Hit + n.Read }

// walk visits a plan from its top.
func (n Node) walk(visit func(Node)) {
	visit(n)
	for _, p := range n.Plans {
		p.walk(visit)
	}
}

// large are the tables with a row for each person or message. Their partitions
// have the day behind the name.
var large = []string{"message", "message_attempt", "contact", "identity", "contact_attribute", "audience_member", "permission",
	"suppression", "consent", "place", "place_use", "event", "cool_off", "frequency_turn", "plan_check_row"}

func isLarge(relation string) bool {
	for _, t := range large {
		day, cut := strings.CutPrefix(relation, t+"_")
		if relation == t || cut && len(day) == 8 && strings.Trim(day, "0123456789") == "" {
			return true
		}
	}
	return false
}

// Faults are what is wrong with a plan for a statement that should look at no
// more than so many rows of a large table. Rows of a small partition that a
// scan reads to its end count as what they are: few.
func (n Node) Faults(most float64) []string {
	var found []string
	n.walk(func(p Node) {
		if !isLarge(p.Relation) {
			return
		}
		rows := (p.Rows + p.Filtered + p.Rechecked) * p.Loops
		if rows <= most {
			return
		}
		how := p.Type
		if p.Index != "" {
			how += " by " + p.Index
		}
		found = append(found, fmt.Sprintf("%s of %s reads %s rows", how, p.Relation, report.Whole(rows)))
	})
	return found
}
