package charts

import (
	"strconv"
	"strings"
)

// table is a chart's twin in numbers: the first column names the row.
type table struct {
	heads []string
	rows  [][]string
	notes []string // sentences below, e.g. the stops of a time line
}

func (f Frame) writeTable(b *strings.Builder, id string, t table) {
	if f.ShowTable == "" {
		return
	}
	caption := f.Caption
	if caption == "" {
		caption = f.Title
	}
	b.WriteString(`<details class="chart-twin"><summary>` + escape(f.ShowTable) + `</summary><div class="chart-scroll" role="region" tabindex="0" aria-labelledby="` + id + `-c"><table><caption id="` + id + `-c">` + escape(caption) + `</caption><thead><tr>`)
	for _, h := range t.heads {
		b.WriteString(`<th scope="col">` + escape(h) + `</th>`)
	}
	b.WriteString(`</tr></thead><tbody>`)
	for _, r := range t.rows {
		b.WriteString("<tr>")
		for i, cell := range r {
			if i == 0 {
				b.WriteString(`<th scope="row">` + escape(cell) + `</th>`)
			} else {
				b.WriteString(`<td>` + escape(cell) + `</td>`)
			}
		}
		b.WriteString("</tr>")
	}
	b.WriteString(`</tbody></table>`)
	if len(t.notes) > 0 {
		b.WriteString(`<ul>`)
		for _, n := range t.notes {
			b.WriteString(`<li>` + escape(n) + `</li>`)
		}
		b.WriteString(`</ul>`)
	}
	b.WriteString(`</div></details>`)
}

// key is one entry of a legend. Lines show their marker, areas their pattern.
type key struct {
	label, value, note, class string
	line                      bool
}

func writeLegend(b *strings.Builder, id string, keys []key, narrow bool) {
	if len(keys) == 0 {
		return
	}
	b.WriteString(`<ul class="chart-legend`)
	if narrow {
		b.WriteString(` chart-narrow`)
	}
	b.WriteString(`">`)
	for i, k := range keys {
		c := &canvas{id: id + "-k" + strconv.Itoa(i), w: 14, h: 14}
		if k.line {
			c.w = 22
			c.path("series "+token(k.class), []point{{0, 7}, {22, 7}}, false)
			c.marker(k.class, i, point{11, 7})
		} else if k.class == "track" {
			c.rect("track track-key", 1, 1, 12, 12, 3)
		} else {
			c.bar(k.class, 1, 1, 12, 12, 3)
		}
		swatch := strings.Replace(c.svg("chart-swatch", ""), `role="img"`, `aria-hidden="true"`, 1)
		b.WriteString(`<li>` + swatch + `<span class="chart-key">` + escape(k.label) + `</span>`)
		if k.value != "" {
			b.WriteString(` <b class="chart-value">` + escape(k.value) + `</b>`)
		}
		if k.note != "" {
			b.WriteString(` <span class="chart-note">` + escape(k.note) + `</span>`)
		}
		b.WriteString(`</li>`)
	}
	b.WriteString(`</ul>`)
}
