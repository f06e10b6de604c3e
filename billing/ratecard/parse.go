package ratecard

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/currency"

	"bareed/billing"
	"bareed/contacts/csvfile"
	"bareed/internal/errs"
)

// Bounds of an uploaded card.
const (
	MaxBytes = 1 << 20
	MaxRows  = 10_000
	MaxRate  = 10_000 * billing.Unit // micros: a price above it is a slip of the point
	maxSaid  = 20                    // faults told of one file
	maxCount = 1_000_000_000_000     // of a tier's border
)

// columns are the header's names; the last two may be left out.
var columns = []string{"market", "category", "currency", "rate", "volume_from", "volume_to"}

const needed = 4

// Parsed is what a file says: one currency, and the prices in order of market,
// category and tier.
type Parsed struct {
	Currency string
	Rates    []Rate
}

// Rate is a price: what one message of a category to a market costs while so
// many of the month are sent. From and To count messages from 1; To is 0 where
// the tier has no end.
type Rate struct {
	Market   string `json:"market" doc:"A country's code (ISO 3166-1 alpha-2) or a region such as rest_of_africa"`
	Category string `json:"category"`
	From     int64  `json:"volume_from" doc:"The first message of the month it is for, counted from 1"`
	To       int64  `json:"volume_to,omitempty" doc:"The last; absent: no end"`
	Micros   int64  `json:"amount_micros"`
}

// Parse reads a card: lines that begin with # above the header are comments, the
// rest is CSV with the columns market, category, currency, rate and, both or
// neither, volume_from and volume_to. Encoding, byte order mark and delimiter are
// found as for every file that people upload. Every fault is an *errs.Error that
// names row, line and column; nothing of a file with a fault is used.
func Parse(file []byte) (Parsed, error) {
	if len(file) > MaxBytes {
		return Parsed{}, errs.New("ratecard.too_large", "limit", MaxBytes>>20)
	}
	text, comments := dropComments(file)
	rows, err := csvfile.Open(bytes.NewReader(text), csvfile.Options{Loose: true, IsPhone: func(string) bool { return false }, Delimiter: delimiter(text)})
	if err != nil {
		return Parsed{}, err
	}
	r := &reading{rows: rows, at: map[string]int{}, lines: comments, seen: map[place]int64{}}
	if err := r.header(); err != nil {
		return Parsed{}, err
	}
	if err := r.read(); err != nil {
		return Parsed{}, err
	}
	r.checkTiers()
	if len(r.faults) > 0 {
		return Parsed{}, r.refusal()
	}
	if len(r.rates) == 0 {
		return Parsed{}, errs.New("csv.no_rows")
	}
	slices.SortFunc(r.rates, func(a, b numbered) int { return a.compare(b.Rate) })
	p := Parsed{Currency: r.currency}
	for _, n := range r.rates {
		p.Rates = append(p.Rates, n.Rate)
	}
	return p, nil
}

// dropComments takes the lines that begin with # off the head of a file, behind
// a byte order mark, and says how many they were. Only UTF-8 can have them.
func dropComments(file []byte) (rest []byte, lines int64) {
	rest = bytes.TrimPrefix(file, []byte("\ufeff"))
	for bytes.HasPrefix(rest, []byte("#")) {
		_, after, found := bytes.Cut(rest, []byte("\n"))
		lines++
		if rest = after; !found {
			return nil, lines
		}
	}
	if lines == 0 {
		return file, 0
	}
	return rest, lines
}

// delimiter is a semicolon where the header has one; else the reader finds it.
func delimiter(text []byte) string {
	head, _, _ := bytes.Cut(text, []byte("\n"))
	if bytes.IndexByte(head, 0) < 0 && bytes.Count(head, []byte(";")) >= needed-1 {
		return ";"
	}
	return ""
}

type numbered struct {
	Rate
	row, line int64
}

// place is what must not be priced twice.
type place struct {
	market, category string
	from             int64
}

// reading is one file on its way.
type reading struct {
	rows     *csvfile.Rows
	at       map[string]int // column → its number
	lines    int64          // of comments, above the reader's first
	comma    bool           // prices may be written with a decimal comma
	currency string
	rates    []numbered
	seen     map[place]int64 // → row
	faults   []errs.Field
	more     bool // faults beyond maxSaid
}

func (r *reading) header() error {
	r.comma = r.rows.Delimiter != ","
	var unknown []string
	for i, c := range r.rows.Columns {
		name := csvfile.NormalName(c.Header)
		if !slices.Contains(columns, name) {
			unknown = append(unknown, c.Header)
			continue
		}
		r.at[name] = i
	}
	if len(unknown) > 0 {
		return errs.New("ratecard.column_unknown", "name", errs.Clip(strings.Join(unknown, ", ")), "columns", strings.Join(columns, ", "))
	}
	for _, name := range columns[:needed] {
		if _, ok := r.at[name]; !ok {
			return errs.New("ratecard.column_missing", "name", name, "columns", strings.Join(columns, ", "))
		}
	}
	_, from := r.at["volume_from"]
	if _, to := r.at["volume_to"]; from != to {
		return errs.New("ratecard.column_missing", "name", "volume_from, volume_to", "columns", strings.Join(columns, ", "))
	}
	return nil
}

func (r *reading) read() error {
	for {
		row, err := r.rows.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case row.Number > MaxRows:
			return errs.New("ratecard.too_many_rows", "limit", MaxRows)
		case row.Fault != nil:
			return row.Fault
		}
		r.take(row)
	}
}

func (r *reading) take(row csvfile.Row) {
	cell := func(name string) string {
		i, ok := r.at[name]
		if !ok {
			return ""
		}
		return strings.TrimSpace(row.Attributes[csvfile.Place(i)])
	}
	n := numbered{row: row.Number, line: row.Line + r.lines}
	before := len(r.faults)
	var ok bool
	if n.Market, ok = billing.ParseMarket(cell("market")); !ok {
		r.fault(n, "market", cell("market"), "ratecard.market")
	}
	if n.Category = csvfile.NormalName(cell("category")); !slices.Contains(billing.Categories(), n.Category) {
		r.fault(n, "category", cell("category"), "ratecard.category", "categories", strings.Join(billing.Categories(), ", "))
	}
	r.money(&n, cell("currency"), cell("rate"))
	r.volume(&n, cell("volume_from"), cell("volume_to"))
	if len(r.faults) > before || r.more {
		return
	}
	at := place{n.Market, n.Category, n.From}
	if first, twice := r.seen[at]; twice {
		r.fault(n, "market", cell("market"), "ratecard.twice", "first", first)
		return
	}
	r.seen[at] = n.row
	r.rates = append(r.rates, n)
}

// money reads a price: a point or, where commas do not separate columns, a
// comma before at most six places.
func (r *reading) money(n *numbered, unit, rate string) {
	unit = strings.ToUpper(unit)
	if _, err := currency.ParseISO(unit); err != nil || len(unit) != 3 {
		r.fault(*n, "currency", unit, "ratecard.currency")
	} else if r.currency == "" {
		r.currency = unit
	} else if unit != r.currency {
		r.fault(*n, "currency", unit, "ratecard.currency_mixed", "currency", r.currency)
	}
	plain := rate
	if r.comma && !strings.Contains(rate, ".") {
		plain = strings.Replace(rate, ",", ".", 1)
	}
	var ok bool
	if n.Micros, ok = billing.ParseDecimal(plain, MaxRate); !ok {
		r.fault(*n, "rate", rate, "ratecard.rate", "max", MaxRate/billing.Unit)
	}
}

func (r *reading) volume(n *numbered, from, to string) {
	n.From = 1
	var ok bool
	if from != "" {
		if n.From, ok = count(from); !ok {
			r.fault(*n, "volume_from", from, "ratecard.volume")
		}
		n.From = max(n.From, 1) // Meta's first tier begins at 0
	}
	if to == "" {
		return
	}
	if n.To, ok = count(to); !ok {
		r.fault(*n, "volume_to", to, "ratecard.volume")
	} else if n.To < n.From {
		r.fault(*n, "volume_to", to, "ratecard.volume_order", "from", n.From)
	}
}

func count(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && n >= 0 && n <= maxCount && s[0] != '+'
}

// checkTiers finds tiers that overlap or leave messages without a price.
func (r *reading) checkTiers() {
	if len(r.faults) > 0 {
		return
	}
	slices.SortFunc(r.rates, func(a, b numbered) int { return a.compare(b.Rate) })
	var last numbered
	for _, n := range r.rates {
		same := last.Market == n.Market && last.Category == n.Category
		want := int64(1)
		if same {
			want = last.To + 1
		}
		switch {
		case same && last.To == 0:
			r.fault(n, "volume_from", strconv.FormatInt(n.From, 10), "ratecard.tier_overlap", "row", last.row)
		case n.From < want:
			r.fault(n, "volume_from", strconv.FormatInt(n.From, 10), "ratecard.tier_overlap", "row", last.row)
		case n.From > want:
			r.fault(n, "volume_from", strconv.FormatInt(n.From, 10), "ratecard.tier_gap", "want", want)
		}
		last = n
	}
}

func (a Rate) compare(b Rate) int {
	if c := strings.Compare(a.Market, b.Market); c != 0 {
		return c
	}
	if c := strings.Compare(a.Category, b.Category); c != 0 {
		return c
	}
	return int(min(1, max(-1, a.From-b.From)))
}

func (r *reading) fault(n numbered, column, got, code string, kv ...any) {
	if len(r.faults) == maxSaid {
		r.more = true
		return
	}
	e := errs.New(code, append(kv, "got", errs.Clip(got))...)
	r.faults = append(r.faults, errs.Field{Row: n.row, Line: n.line, Column: column, Code: code, Params: e.Params, Got: errs.Clip(got)})
}

func (r *reading) refusal() error {
	e := errs.New("ratecard.rows", "n", len(r.faults))
	if r.more {
		e = errs.New("ratecard.rows_more", "n", maxSaid)
	}
	e.Fields = r.faults
	return e
}
