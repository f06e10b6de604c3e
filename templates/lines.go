package templates

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Line is one line of a template's content as a person reads it, with its
// placeholders. Part is header, body, footer, button or other.
type Line struct {
	Part string `json:"part"`
	Text string `json:"text"`
}

// Lines is the whole content in order. A part that cannot be shown stands as
// Meta's own JSON, so that a change of it is seen too.
func Lines(t Template) []Line {
	var list []Line
	var components []json.RawMessage
	if json.Unmarshal(t.Components, &components) != nil {
		return []Line{{"other", string(t.Components)}}
	}
	for _, raw := range components {
		var c component
		if json.Unmarshal(raw, &c) != nil {
			list = append(list, Line{"other", compact(raw)})
			continue
		}
		switch kind := strings.ToUpper(c.Type); kind {
		case "HEADER", "BODY", "FOOTER":
			if format := strings.ToUpper(c.Format); format != "" && format != "TEXT" {
				list = append(list, Line{strings.ToLower(kind), "[" + format + "]"})
				continue
			}
			for line := range strings.Lines(c.Text) {
				list = append(list, Line{strings.ToLower(kind), strings.TrimRight(line, "\r\n")})
			}
		case "BUTTONS":
			list = append(list, buttonLines(raw)...)
		default:
			list = append(list, Line{"other", compact(raw)})
		}
	}
	return list
}

// buttonLines tells each button by its text, its kind and where it leads.
func buttonLines(raw json.RawMessage) (list []Line) {
	var c struct {
		Buttons []struct {
			Type  string `json:"type"`
			Text  string `json:"text"`
			URL   string `json:"url"`
			Phone string `json:"phone_number"`
		} `json:"buttons"`
	}
	if json.Unmarshal(raw, &c) != nil {
		return []Line{{"other", compact(raw)}}
	}
	for _, b := range c.Buttons {
		parts := []string{strings.ToUpper(b.Type)}
		for _, p := range []string{b.Text, b.URL, b.Phone} {
			if p != "" {
				parts = append(parts, p)
			}
		}
		list = append(list, Line{Button, strings.Join(parts, " · ")})
	}
	return list
}

func compact(raw json.RawMessage) string {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return string(raw)
	}
	return b.String()
}
