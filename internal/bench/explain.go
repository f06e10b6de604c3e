//go:build unix

package bench

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"bareed/internal/bench/report"
)

// node is a step of a plan as PostgreSQL's EXPLAIN (ANALYZE, BUFFERS, FORMAT
// JSON) gives it.
type node struct {
	Type      string  `json:"Node Type"`
	Relation  string  `json:"Relation Name"`
	Index     string  `json:"Index Name"`
	Rows      float64 `json:"Actual Rows"`
	Loops     float64 `json:"Actual Loops"`
	Filtered  float64 `json:"Rows Removed by Filter"`
	Rechecked float64 `json:"Rows Removed by Index Recheck"`
	Hit       int64   `json:"Shared Hit Blocks"`
	Read      int64   `json:"Shared Read Blocks"`
	Plans     []node  `json:"Plans"`
}

// explained is one statement that was run.
type explained struct {
	ms   float64
	plan node
}

// parseExplained reads what auto_explain says of a statement; ok is false for
// any other notice.
func parseExplained(text string) (e explained, ok bool) {
	rest, ok := strings.CutPrefix(text, "duration: ")
	if !ok {
		return e, false
	}
	ms, rest, ok := strings.Cut(rest, " ms  plan:")
	if !ok {
		return e, false
	}
	var doc struct{ Plan node }
	var err error
	if e.ms, err = strconv.ParseFloat(ms, 64); err != nil || json.Unmarshal([]byte(rest), &doc) != nil {
		return e, false
	}
	e.plan = doc.Plan
	return e, true
}

func (n node) pages() int64 { return n.Hit + n.Read }

// walk visits a plan from its top.
func (n node) walk(visit func(node)) {
	visit(n)
	for _, p := range n.Plans {
		p.walk(visit)
	}
}

// large are the tables with a row for each person or message. Their partitions
// have the day behind the name.
var large = []string{"message", "message_attempt", "contact", "identity", "contact_attribute", "audience_member", "permission",
	"suppression", "consent", "place", "place_use", "event", "cool_off", "frequency_turn"}

func isLarge(relation string) bool {
	for _, t := range large {
		day, cut := strings.CutPrefix(relation, t+"_")
		if relation == t || cut && len(day) == 8 && strings.Trim(day, "0123456789") == "" {
			return true
		}
	}
	return false
}

// faults are what is wrong with a plan for a statement that should look at no
// more than so many rows of a large table. Rows of a small partition that a
// scan reads to its end count as what they are: few.
func (n node) faults(most float64) []string {
	var found []string
	n.walk(func(p node) {
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
