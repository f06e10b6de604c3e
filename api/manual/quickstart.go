package manual

import (
	"html"
	"regexp"
	"strings"
)

// quickstart writes our own Markdown as a page: headings, paragraphs, lists,
// fences, code, bold and links are all that it holds. Everything is escaped first.
func quickstart(markdown string) string {
	p := &sheet{}
	p.WriteString(`<!DOCTYPE html><html lang="en" dir="ltr"><head><link rel="icon" href="data:,"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">` +
		`<title>Quick start · Bareed</title><style>` + quickstartStyle + `</style></head><body><main>`)
	for line := range strings.Lines(markdown) {
		p.line(strings.TrimRight(line, "\r\n"))
	}
	p.within("")
	p.WriteString("</main></body></html>\n")
	return p.String()
}

// sheet is a page as far as it is written.
type sheet struct {
	strings.Builder
	open  string // the tag that is open; empty: none
	fence bool   // inside of one
}

// within closes the tag that is open and opens another, unless it is the same or
// none is asked for.
func (p *sheet) within(tag string) {
	if tag == p.open {
		return
	}
	if p.open != "" {
		p.WriteString("</" + p.open + ">\n")
	}
	if tag != "" {
		p.WriteString("<" + tag + ">")
	}
	p.open = tag
}

func (p *sheet) line(line string) {
	switch {
	case strings.HasPrefix(line, "```"):
		p.within("")
		p.WriteString(map[bool]string{false: `<pre dir="ltr" tabindex="0"><code>`, true: "</code></pre>\n"}[p.fence])
		p.fence = !p.fence
	case p.fence:
		p.WriteString(html.EscapeString(line) + "\n")
	case strings.TrimSpace(line) == "":
		p.within("")
	case strings.HasPrefix(line, "#"):
		p.within("")
		text := strings.TrimLeft(line, "#")
		level := string(rune('0' + min(len(line)-len(text), 6)))
		p.WriteString("<h" + level + ">" + inline(strings.TrimSpace(text)) + "</h" + level + ">\n")
	case strings.HasPrefix(line, "- "):
		p.within("ul")
		p.WriteString("<li>" + inline(line[2:]) + "</li>\n")
	default:
		p.within("p")
		p.WriteString(inline(line) + "\n")
	}
}

var (
	code = regexp.MustCompile("`([^`]+)`")
	bold = regexp.MustCompile(`\*\*([^*]+)\*\*`)
	link = regexp.MustCompile(`\[([^\]]+)\]\(([^)\s]+)\)`)
)

func inline(s string) string {
	s = html.EscapeString(s)
	s = code.ReplaceAllString(s, "<code>$1</code>")
	s = bold.ReplaceAllString(s, "<strong>$1</strong>")
	return link.ReplaceAllString(s, `<a href="$2">$1</a>`)
}

const quickstartStyle = `
:root { color-scheme: light dark; font: 1rem/1.6 system-ui, sans-serif; --line: #8884; --ground: #8881; --accent: light-dark(#0a6a4f, #5fd3ae); }
body { margin: 0; background: light-dark(#fff, #14191a); color: light-dark(#1a2027, #e8edf2); }
main { max-width: 48rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
h1 { line-height: 1.2; letter-spacing: -.01em; }
h2 { margin-block-start: 2.5rem; padding-block-start: 1rem; border-block-start: 1px solid var(--line); }
a { color: var(--accent); }
pre { background: var(--ground); border: 1px solid var(--line); border-radius: .5rem; padding: .75rem 1rem; overflow-x: auto; line-height: 1.45; font-size: .875rem; }
code { font-family: ui-monospace, monospace; font-size: .92em; overflow-wrap: anywhere; }
pre code { font-size: inherit; overflow-wrap: normal; }
`
