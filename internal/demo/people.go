//go:build unix

package demo

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"strings"
)

// rows is how many records the demo's file has.
const rows = 10_000

// bad is every kind of row a file can spoil, with how many of each are planted.
// %s is a phone number nobody else in the file has.
var bad = []struct {
	count int
	line  string // phone,name,city,opt_in,opt_in_at,opt_in_source
}{
	{15, `9.66501E+11,Damaged by a spreadsheet,Riyadh,yes,2026-03-01,web`},
	{15, `12345,Too short,Riyadh,yes,2026-03-01,web`},
	{10, `+96650123456789012,Too long,Riyadh,yes,2026-03-01,web`},
	{10, `call me,Letters,Riyadh,yes,2026-03-01,web`},
	{10, `+966501110001 / +966501110002,Two numbers,Riyadh,yes,2026-03-01,web`},
	{10, `,No number,Riyadh,yes,2026-03-01,web`},
	{10, `%s,Too few fields,Riyadh`},
	{10, `%s,Too many fields,Riyadh,yes,2026-03-01,web,more`},
	{10, `%s,Unclear answer,Riyadh,maybe,2026-03-01,web`},
	{10, `%s,From the future,Riyadh,yes,2030-01-01,web`},
	{10, `%s,Ambiguous date,Riyadh,yes,01/02/2026,web`},
	{10, `%s,"A ""quoted name"" is fine, a bare "quote is not,Riyadh,yes,2026-03-01,web`},
}

// Planted is what the file was made of; the report is compared with the
// sandbox's journal, not with this, but a reader wants to know.
type Planted struct {
	Rows, Bad, Spellings, NoOptIn, OptedOut, NoCity int
	OptedOutPhones                                  []string // these opted out before the file comes
}

// People writes the demo's file: Saudi, Kuwaiti, Emirati, Egyptian and
// Brazilian people with Arabic and English names, and everything that spoils
// files in earnest. The same seed gives the same file.
func People(seed uint64) ([]byte, Planted) {
	g := &maker{r: rand.New(rand.NewPCG(seed, 1)), seen: map[string]bool{}}
	g.w = csv.NewWriter(&g.out)
	g.out.WriteString("\ufeff") // as spreadsheets write it
	g.record("Phone", "Name", "City", "Opt_In", "Opt_In_At", "Opt_In_Source")
	for _, b := range bad {
		for range b.count {
			g.flush()
			line := b.line
			if strings.Contains(line, "%s") {
				line = fmt.Sprintf(line, g.phone())
			}
			g.out.WriteString(line + "\n")
			g.p.Bad++
			g.p.Rows++
		}
	}
	g.people()
	g.flush()
	return g.out.Bytes(), g.p
}

type maker struct {
	r    *rand.Rand
	w    *csv.Writer
	out  bytes.Buffer
	seen map[string]bool
	p    Planted
}

func (g *maker) record(fields ...string) { _ = g.w.Write(fields) } // a buffer takes everything
func (g *maker) flush()                  { g.w.Flush() }

// phone makes a mobile number that is valid and new to the file.
func (g *maker) phone() string {
	for {
		var p string
		switch g.r.IntN(10) {
		case 0:
			p = fmt.Sprintf("+96550%06d", g.r.IntN(1000000)) // Kuwait
		case 1:
			p = fmt.Sprintf("+97150%07d", 1000000+g.r.IntN(8999999)) // Emirates
		case 2:
			p = fmt.Sprintf("+20100%07d", 1000000+g.r.IntN(8999999)) // Egypt
		case 3:
			p = fmt.Sprintf("+55119%08d", 60000000+g.r.IntN(39999999)) // Brazil
		default:
			p = fmt.Sprintf("+96650%07d", 1000000+g.r.IntN(8999999)) // Saudi Arabia
		}
		if !g.seen[p] {
			g.seen[p] = true
			return p
		}
	}
}

func (g *maker) people() {
	names := []string{"سارة العتيبي", "محمد القحطاني", "Noura Al-Harbi", "خالد", "Fatima Hassan", "عبدالله بن سعد",
		"Maria Souza", "ليلى", "Omar", "=SUM(A1)", "Ana Lúcia", "هند الشمري"}
	cities := []string{"Riyadh", "جدة", "Kuwait City", "دبي", "Cairo", "São Paulo"}
	for g.p.Rows < rows {
		phone, name, city := g.phone(), names[g.r.IntN(len(names))], cities[g.r.IntN(len(cities))]
		opt, at, source := "yes", fmt.Sprintf("2026-%02d-%02d", 1+g.r.IntN(9), 1+g.r.IntN(28)), "https://acme.example/join"
		switch i := g.p.Rows % 100; {
		case i < 4:
			opt, at, source = []string{"", "no", "لا"}[g.r.IntN(3)], "", ""
			g.p.NoOptIn++
		case i < 6:
			g.p.OptedOut++
			g.p.OptedOutPhones = append(g.p.OptedOutPhones, phone)
		case i < 7:
			city = ""
			g.p.NoCity++
		case i < 9:
			opt = "نعم"
		}
		g.record(phone, name, city, opt, at, source)
		g.p.Rows++
		if g.p.Rows%40 == 0 && g.p.Rows < rows {
			g.record(g.spelling(phone), name, city, opt, at, source)
			g.p.Rows++
			g.p.Spellings++
		}
	}
}

// spelling writes the same number as another hand would.
func (g *maker) spelling(p string) string {
	digits := p[1:]
	switch g.r.IntN(5) {
	case 0:
		return "00" + digits
	case 1:
		return p[:4] + " " + p[4:6] + "-" + p[6:9] + " " + p[9:]
	case 2:
		return "+" + strings.Map(func(r rune) rune { return '٠' + (r - '0') }, digits)
	case 3:
		return "\u200f" + p
	}
	if strings.HasPrefix(p, "+55119") {
		return p[:5] + p[6:] // without the ninth digit
	}
	if strings.HasPrefix(p, "+966") {
		return "0" + p[4:]
	}
	return "tel:" + p
}
