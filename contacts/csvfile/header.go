package csvfile

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"bareed/internal/errs"
)

// MaxColumns is how many columns a file may have.
const MaxColumns = 50

const maxHeaderName = 64 // runes

// What a column may be besides an attribute of its own name.
const (
	ColumnPhone       = "phone"
	ColumnName        = "name"
	ColumnOptIn       = "opt_in"
	ColumnOptInAt     = "opt_in_at"
	ColumnOptInSource = "opt_in_source"
	ColumnIgnored     = "-"
)

// columnAliases are the headers recognised without being told, in their
// normal form, the likelier ones first.
var columnAliases = []struct {
	column string
	names  []string
}{
	{ColumnPhone, []string{"phone", "phone_number", "whatsapp", "whatsapp_number", "whatsapp_phone", "mobile", "mobile_number", "mobile_phone",
		"msisdn", "cell", "cell_phone", "telephone", "tel", "contact_number", "number",
		"رقم_الواتساب", "رقم_واتساب", "واتساب", "رقم_الجوال", "الجوال", "جوال", "رقم_الهاتف_المحمول", "رقم_المحمول", "المحمول",
		"رقم_الموبايل", "موبايل", "الموبايل", "رقم_الهاتف", "الهاتف", "هاتف", "تليفون", "الرقم", "رقم"}},
	{ColumnName, []string{"name", "full_name", "fullname", "customer_name", "contact_name",
		"الاسم", "اسم", "الاسم_الكامل", "الاسم_بالكامل", "اسم_العميل"}},
	{ColumnOptIn, []string{"opt_in", "optin", "opted_in", "consent", "consented", "agreed", "agree", "agrees", "subscribed", "permission",
		"الموافقه", "موافقه", "موافق", "وافق", "اشتراك", "مشترك"}},
	{ColumnOptInAt, []string{"opt_in_at", "optin_at", "opt_in_date", "optin_date", "opted_in_at", "consent_at", "consent_date", "تاريخ_الموافقه", "تاريخ_الاشتراك"}},
	{ColumnOptInSource, []string{"opt_in_source", "optin_source", "consent_source", "مصدر_الموافقه"}},
}

var reservedNames = []string{"__proto__", "constructor", "prototype", "__defineGetter__"}

// NormalName is the form in which headers are compared and attributes are
// called: NFKC, small letters, marks and diacritics gone, Arabic letters folded,
// words joined by one underscore.
func NormalName(s string) string {
	var b strings.Builder
	gap := false
	for _, r := range norm.NFKC.String(s) {
		r = unicode.ToLower(r)
		switch {
		case r == '_' || r == '-' || r == '.' || unicode.IsSpace(r):
			gap = b.Len() > 0
			continue
		case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Mn, r), r == 'ـ':
			continue
		case r == 'أ' || r == 'إ' || r == 'آ' || r == 'ٱ':
			r = 'ا'
		case r == 'ة':
			r = 'ه'
		}
		if gap {
			b.WriteByte('_')
			gap = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

// header is what the first record of a file says.
type header struct {
	shown   []string // as written, trimmed
	columns []string // what each is: one of the Column names, or an attribute's name
}

// readHeader decides what each column is. The mapping wins over recognition.
func readHeader(cells []string, o Options) (header, error) {
	if len(cells) > MaxColumns {
		return header{}, errs.New("csv.too_many_columns", "columns", len(cells), "limit", MaxColumns)
	}
	h := header{shown: make([]string, len(cells)), columns: make([]string, len(cells))}
	names := make([]string, len(cells))
	for i, cell := range cells {
		h.shown[i] = strings.TrimSpace(strings.Map(dropMarks, cell))
		names[i] = NormalName(cell)
	}
	if looksLikeData(h.shown, names, o.IsPhone) {
		return header{}, errs.New("csv.header_missing", "line", maskCells(h.shown, o.IsPhone), "column", ColumnPhone)
	}
	if err := checkNames(h.shown, names); err != nil {
		return header{}, err
	}
	if err := h.assign(names, o.Mapping); err != nil {
		return header{}, err
	}
	if !o.Loose && !slices.Contains(h.columns, ColumnPhone) {
		return header{}, errs.New("csv.header_missing_column", "column", ColumnPhone, "found", errs.Clip(strings.Join(h.shown, ", ")))
	}
	return h, nil
}

func dropMarks(r rune) rune {
	if unicode.Is(unicode.Cf, r) {
		return -1
	}
	return r
}

func checkNames(shown, names []string) error {
	seen := make(map[string]bool, len(names))
	for i, n := range names {
		if n == "" {
			if shown[i] != "" {
				return errs.New("csv.header_name", "number", i+1, "name", errs.Clip(shown[i]))
			}
			continue
		}
		bad := len([]rune(shown[i])) > maxHeaderName || slices.Contains(reservedNames, strings.ToLower(shown[i])) ||
			strings.ContainsFunc(shown[i], func(r rune) bool {
				return !unicode.IsPrint(r) || strings.ContainsRune("<>{}[]\"\\`=|~^", r)
			})
		if bad {
			return errs.New("csv.header_name", "number", i+1, "name", errs.Clip(shown[i]))
		}
		if seen[n] {
			return errs.New("csv.header_duplicate", "name", errs.Clip(shown[i]))
		}
		seen[n] = true
	}
	return nil
}

func (h *header) assign(names []string, mapping map[string]string) error {
	taken := make(map[string]string)
	for from, to := range mapping {
		i := slices.Index(names, NormalName(from))
		if i < 0 {
			return errs.New("import.mapping_unknown", "name", errs.Clip(from))
		}
		to = NormalName(to)
		if to == "" {
			to = ColumnIgnored
		}
		if other, ok := taken[to]; ok && to != ColumnIgnored {
			return errs.New("import.mapping_twice", "column", to, "name", errs.Clip(from), "other", errs.Clip(other))
		}
		taken[to], h.columns[i] = from, to
	}
	for _, alias := range columnAliases {
		if _, ok := taken[alias.column]; ok {
			continue
		}
		for _, n := range alias.names {
			if i := slices.Index(names, n); i >= 0 && h.columns[i] == "" {
				h.columns[i], taken[alias.column] = alias.column, n
				break
			}
		}
	}
	for i, n := range names {
		if h.columns[i] != "" {
			continue
		}
		_, collides := taken[n]
		if h.columns[i] = n; n == "" || collides {
			h.columns[i] = ColumnIgnored
		}
	}
	return nil
}

// looksLikeData tells whether the first record is a person, not a header: a
// cell of it is a phone number and none is a column we know.
func looksLikeData(shown, names []string, isPhone func(string) bool) bool {
	phones := 0
	for i, s := range shown {
		for _, a := range columnAliases {
			if slices.Contains(a.names, names[i]) {
				return false
			}
		}
		if isPhone(s) {
			phones++
		}
	}
	return phones > 0
}

func maskCells(cells []string, isPhone func(string) bool) string {
	out := make([]string, len(cells))
	for i, c := range cells {
		if out[i] = c; isPhone(c) {
			out[i] = errs.MaskPhone(c)
		}
	}
	return errs.Clip(strings.Join(out, ", "))
}

// sniffDelimiter finds what separates the fields of the first lines. One
// column needs none. What cannot be told apart is csv.delimiter.
func sniffDelimiter(head string) (byte, error) {
	line, _, _ := strings.Cut(head, "\n")
	line = strings.TrimSuffix(line, "\r")
	best, bestFields, tie := byte(','), 1, false
	for _, c := range []byte(",;\t|") {
		fields := fieldsIn(line, c)
		score := len(fields)
		if score == 1 {
			continue
		}
		if slices.ContainsFunc(fields, isAlias) {
			score += 1000 // a header that makes sense in this reading
		}
		switch {
		case score > bestFields:
			best, bestFields, tie = c, score, false
		case score == bestFields:
			tie = true
		}
	}
	if tie {
		return 0, errs.New("csv.delimiter")
	}
	return best, nil
}

func isAlias(field string) bool {
	n := NormalName(strings.Trim(field, `"`))
	return slices.Contains(columnAliases[0].names, n)
}

// fieldsIn splits a line outside quotes.
func fieldsIn(line string, sep byte) []string {
	var fields []string
	quoted, from := false, 0
	for i := range len(line) {
		switch {
		case line[i] == '"':
			quoted = !quoted
		case line[i] == sep && !quoted:
			fields = append(fields, line[from:i])
			from = i + 1
		}
	}
	return append(fields, line[from:])
}
