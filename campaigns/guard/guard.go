// Package guard owns the comparison of a campaign's template as a person approved
// it (in the check that was launched on) with the one Meta has now, and the hold
// that a difference opens: content, category, status or quality.
//
// campaigns asks it at the launch, at each firing and at a resume; the webhook door
// and the worker tell it what Meta changed; api and web show what it finds. It must
// not know schedules, people or Meta's wire.
package guard

import (
	"encoding/hex"
	"encoding/json"
	"strings"

	"bareed/numbers"
	"bareed/templates"
)

// Reason is the reason of the hold that a difference opens.
const Reason = "template_changed"

// The parts of a template that are compared.
const (
	Content  = "content"
	Category = "category"
	Status   = "status"
	Quality  = "quality"
)

// Difference is one part of a template that is no longer as it was approved.
type Difference struct {
	What   string `json:"what" doc:"content, category, status or quality"`
	Was    string `json:"was" doc:"Of content the beginning of its hash"`
	Became string `json:"became" doc:"Empty for content that Meta says is new and that is not read yet"`
	Lines  []Edit `json:"lines,omitempty" doc:"Of content: line by line, what stayed and what changed"`
}

// Edit is one line of a changed content.
type Edit struct {
	Change string `json:"change" doc:"same, removed or added"`
	Part   string `json:"part" doc:"header, body, footer, button or other"`
	Text   string `json:"text"`
}

// Compare lists what is no longer as it was approved. A better quality is no
// difference, nor is a status that became good. What was is not known whole
// (a snapshot without a part) is not compared in that part.
func Compare(was, is templates.Template) []Difference {
	list := []Difference{}
	if len(was.Hash) > 0 && string(was.Hash) != string(is.Hash) {
		d := Difference{What: Content, Was: short(was.Hash), Became: short(is.Hash)}
		if len(is.Hash) > 0 {
			d.Lines = edits(templates.Lines(was), templates.Lines(is))
		}
		list = append(list, d)
	}
	if was.Category != "" && !strings.EqualFold(was.Category, is.Category) {
		list = append(list, Difference{What: Category, Was: was.Category, Became: is.Category})
	}
	if was.Status == templates.Approved && is.Status != templates.Approved {
		list = append(list, Difference{What: Status, Was: was.Status, Became: is.Status})
	}
	if was.Quality != "" && numbers.Dropped(was.Quality, is.Quality) {
		list = append(list, Difference{What: Quality, Was: was.Quality, Became: is.Quality})
	}
	return list
}

// Told is the differences in one line, as a hold keeps what it measured:
// "content 1a2b3c4d → 5e6f7a8b, category UTILITY → MARKETING".
func Told(list []Difference) string {
	parts := make([]string, len(list))
	for i, d := range list {
		became := d.Became
		if became == "" {
			became = "new"
		}
		parts[i] = d.What + " " + d.Was + " → " + became
	}
	return strings.Join(parts, ", ")
}

func short(hash []byte) string { return hex.EncodeToString(hash[:min(len(hash), 4)]) }

// edits is the shortest way from one content to the other, line by line. A
// template has at most some dozens of lines.
func edits(was, is []templates.Line) []Edit {
	// common[i][j] is how many lines was[i:] and is[j:] can keep.
	common := make([][]int, len(was)+1)
	for i := range common {
		common[i] = make([]int, len(is)+1)
	}
	for i := len(was) - 1; i >= 0; i-- {
		for j := len(is) - 1; j >= 0; j-- {
			common[i][j] = max(common[i+1][j], common[i][j+1])
			if was[i] == is[j] {
				common[i][j] = common[i+1][j+1] + 1
			}
		}
	}
	list := []Edit{}
	i, j := 0, 0
	for i < len(was) || j < len(is) {
		switch {
		case i < len(was) && j < len(is) && was[i] == is[j]:
			list = append(list, Edit{"same", was[i].Part, was[i].Text})
			i, j = i+1, j+1
		case j == len(is) || i < len(was) && common[i+1][j] >= common[i][j+1]:
			list = append(list, Edit{"removed", was[i].Part, was[i].Text})
			i++
		default:
			list = append(list, Edit{"added", is[j].Part, is[j].Text})
			j++
		}
	}
	return list
}

// snapshot reads a template as it was kept; the zero one when nothing was.
func snapshot(raw []byte) templates.Template {
	var t templates.Template
	_ = json.Unmarshal(raw, &t) // an unreadable one compares with nothing
	return t
}

// parts are the differences of a line that Told wrote.
func parts(told string) []string { return strings.Split(told, ", ") }
