package guard_test

import (
	"encoding/json"
	"slices"
	"testing"

	"bareed/campaigns/guard"
	"bareed/templates"
)

func template(change func(*templates.Template)) templates.Template {
	t := templates.Template{Category: "UTILITY", Status: "APPROVED", Quality: "GREEN",
		Components: json.RawMessage(`[{"type":"BODY","text":"Hello {{1}},\nyour order is here."},{"type":"FOOTER","text":"Acme"}]`)}
	if change != nil {
		change(&t)
	}
	t.Hash = templates.Hash(t.Components)
	return t
}

func TestCompare(t *testing.T) {
	t.Parallel()
	text := json.RawMessage(`[{"type":"BODY","text":"Hello {{1}},\nyour order waits."},{"type":"FOOTER","text":"Acme"}]`)
	for _, tt := range []struct {
		name     string
		was, is  func(*templates.Template)
		want     []string
		told     string
		unhashed bool // what was approved was kept without a hash
	}{
		{name: "the same", want: []string{}},
		{name: "category", is: func(t *templates.Template) { t.Category = "MARKETING" }, want: []string{"category"}, told: "category UTILITY → MARKETING"},
		{name: "category in small letters", is: func(t *templates.Template) { t.Category = "utility" }, want: []string{}},
		{name: "text", is: func(t *templates.Template) { t.Components = text }, want: []string{"content"}},
		{name: "text, of which no hash was kept", is: func(t *templates.Template) { t.Components = text }, want: []string{}, unhashed: true},
		{name: "paused", is: func(t *templates.Template) { t.Status = "PAUSED" }, want: []string{"status"}, told: "status APPROVED → PAUSED"},
		{name: "approved since", was: func(t *templates.Template) { t.Status = "PENDING" }, want: []string{}},
		{name: "worse", is: func(t *templates.Template) { t.Quality = "YELLOW" }, want: []string{"quality"}, told: "quality GREEN → YELLOW"},
		{name: "worse than not known", was: func(t *templates.Template) { t.Quality = "UNKNOWN" }, is: func(t *templates.Template) { t.Quality = "RED" }, want: []string{"quality"}, told: "quality UNKNOWN → RED"},
		{name: "better", was: func(t *templates.Template) { t.Quality = "RED" }, is: func(t *templates.Template) { t.Quality = "YELLOW" }, want: []string{}},
		{name: "all of it", is: func(t *templates.Template) {
			t.Category, t.Status, t.Quality, t.Components = "MARKETING", "DISABLED", "RED", text
		}, want: []string{"content", "category", "status", "quality"}},
	} {
		was, is := template(tt.was), template(tt.is)
		if tt.unhashed {
			was.Hash = nil
		}
		list := guard.Compare(was, is)
		got := []string{}
		for _, d := range list {
			got = append(got, d.What)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
		if tt.told != "" && guard.Told(list) != tt.told {
			t.Errorf("%s: told %q, want %q", tt.name, guard.Told(list), tt.told)
		}
	}
}

// TestLines: what stayed, what went, what came, in order.
func TestLines(t *testing.T) {
	t.Parallel()
	is := template(func(t *templates.Template) {
		t.Components = json.RawMessage(`[{"type":"HEADER","format":"IMAGE"},{"type":"BODY","text":"Hello {{1}},\nyour order waits."},
			{"type":"BUTTONS","buttons":[{"type":"URL","text":"Shop","url":"https://acme.example/{{1}}"}]},{"type":"CAROUSEL","cards":[1]}]`)
	})
	want := []guard.Edit{
		{Change: "added", Part: "header", Text: "[IMAGE]"},
		{Change: "same", Part: "body", Text: "Hello {{1}},"},
		{Change: "removed", Part: "body", Text: "your order is here."},
		{Change: "removed", Part: "footer", Text: "Acme"},
		{Change: "added", Part: "body", Text: "your order waits."},
		{Change: "added", Part: "button", Text: "URL · Shop · https://acme.example/{{1}}"},
		{Change: "added", Part: "other", Text: `{"type":"CAROUSEL","cards":[1]}`},
	}
	list := guard.Compare(template(nil), is)
	if len(list) != 1 || !slices.Equal(list[0].Lines, want) {
		t.Errorf("%+v, want %+v", list, want)
	}
	unread := is
	unread.Hash = []byte{}
	list = guard.Compare(template(nil), unread)
	if len(list) != 1 || list[0].Became != "" || list[0].Lines != nil {
		t.Errorf("content that is not read: %+v", list)
	}
}

// FuzzLines: the edits turn the one content into the other, whatever they are.
func FuzzLines(f *testing.F) {
	f.Add("a\nb\nc", "a\nc\nd")
	f.Add("", "x")
	f.Fuzz(func(t *testing.T, was, is string) {
		of := func(text string) templates.Template {
			raw, err := json.Marshal([]map[string]string{{"type": "BODY", "text": text}})
			if err != nil {
				t.Fatal(err)
			}
			return templates.Template{Components: raw, Hash: templates.Hash(raw)}
		}
		for _, d := range guard.Compare(of(was), of(is)) {
			var before, after []templates.Line
			for _, e := range d.Lines {
				if e.Change != "added" {
					before = append(before, templates.Line{Part: e.Part, Text: e.Text})
				}
				if e.Change != "removed" {
					after = append(after, templates.Line{Part: e.Part, Text: e.Text})
				}
			}
			if !slices.Equal(before, templates.Lines(of(was))) || !slices.Equal(after, templates.Lines(of(is))) {
				t.Errorf("%q to %q: %+v", was, is, d.Lines)
			}
		}
	})
}
