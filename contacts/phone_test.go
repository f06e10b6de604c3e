package contacts_test

import (
	"strings"
	"testing"

	"bareed/contacts"
	"bareed/internal/errs"
)

func TestParsePhone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, raw, country, e164, key string }{
		{"plain", "+966501234567", "", "+966501234567", "+966501234567"},
		{"spaces and dash", "+966 50-123 4567", "", "+966501234567", "+966501234567"},
		{"00 prefix", "00966501234567", "", "+966501234567", "+966501234567"},
		{"00 prefix with a default", "00 966 50 123 4567", "EG", "+966501234567", "+966501234567"},
		{"national", "0501234567", "SA", "+966501234567", "+966501234567"},
		{"national, small letters", "0501234567", "sa", "+966501234567", "+966501234567"},
		{"a leading zero eaten by a spreadsheet", "501234567", "SA", "+966501234567", "+966501234567"},
		{"Arabic-Indic", "٠٥٠١٢٣٤٥٦٧", "SA", "+966501234567", "+966501234567"},
		{"Persian digits", "+۹۶۶۵۰۱۲۳۴۵۶۷", "", "+966501234567", "+966501234567"},
		{"RLM and NBSP", "\u200f+966\u00a050\u00a0123\u00a04567\u202c", "", "+966501234567", "+966501234567"},
		{"apostrophe", "'+966501234567", "", "+966501234567", "+966501234567"},
		{"tel:", "tel:+966-50-123-4567", "", "+966501234567", "+966501234567"},
		{"as exported", "966501234567", "", "+966501234567", "+966501234567"},
		{"as exported, other default", "966501234567", "EG", "+966501234567", "+966501234567"},
		{"parentheses", "+1 (212) 555-2368", "", "+12125552368", "+12125552368"},
		{"Brazil with the 9", "+55 11 98765-4321", "", "+5511987654321", "+551187654321"},
		{"Brazil without the 9", "+55 11 8765-4321", "", "+5511987654321", "+551187654321"},
		{"Brazil national without the 9", "(11) 8765-4321", "BR", "+5511987654321", "+551187654321"},
		{"Brazil 9 5: not folded, it would be a landline", "+5511951234567", "", "+5511951234567", "+5511951234567"},
		{"Brazil landline", "+551131234567", "", "+551131234567", "+551131234567"},
		{"Mexico 52", "+525512345678", "", "+525512345678", "+525512345678"},
		{"Mexico 521", "+5215512345678", "", "+525512345678", "+525512345678"},
		{"Argentina 549", "+5491123456789", "", "+5491123456789", "+541123456789"},
		{"Argentina 54", "+541123456789", "", "+541123456789", "+541123456789"},
		{"Argentina 15", "011 15 2345-6789", "AR", "+5491123456789", "+541123456789"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, err := contacts.ParsePhone(c.raw, c.country)
			if err != nil {
				t.Fatalf("ParsePhone(%q): %v", c.raw, err)
			}
			if p.E164 != c.e164 || p.Key != c.key || len(p.Country) != 2 {
				t.Fatalf("ParsePhone(%q) = %+v, want %s, key %s", c.raw, p, c.e164, c.key)
			}
		})
	}
}

func TestParsePhoneRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, raw, country, code string }{
		{"empty", " \u00a0", "SA", "phone.missing"},
		{"no country", "0501234567", "", "phone.no_country"},
		{"short without country", "501234567", "", "phone.no_country"},
		{"scientific", "9.66501E+11", "SA", "phone.scientific"},
		{"scientific with comma", "9,66501E+11", "SA", "phone.scientific"},
		{"made a decimal", "966501234567.0", "", "phone.scientific"},
		{"3 digits", "123", "SA", "phone.invalid"},
		{"16 digits", "+9665012345678901", "", "phone.invalid"},
		{"letters", "+966CALLNOW", "", "phone.invalid"},
		{"vanity", "+1-800-FLOWERS", "", "phone.invalid"},
		{"extension", "+966501234567 x12", "", "phone.invalid"},
		{"ext.", "+966501234567 ext. 12", "", "phone.invalid"},
		{"hash", "+966501234567#12", "", "phone.invalid"},
		{"wrong plan", "+966101234567890", "", "phone.invalid"},
		{"no country's number", "+80012345678", "", "phone.invalid"},
		{"two by slash", "0501234567/0507654321", "SA", "phone.multiple"},
		{"two by comma", "+966501234567, +966507654321", "", "phone.multiple"},
		{"two by Arabic comma", "0501234567، 0507654321", "SA", "phone.multiple"},
		{"two by blank", "0501234567 0507654321", "SA", "phone.multiple"},
		{"two by plus", "+966501234567 +966507654321", "", "phone.multiple"},
		{"two by line", "0501234567\n0507654321", "SA", "phone.multiple"},
		{"two by و", "0501234567 و 0507654321", "SA", "phone.multiple"},
		{"business-scoped id", "SA.1349567890123456", "SA", "phone.bsuid"},
		{"parent business-scoped id", "US.ENT.11815799212886844830", "", "phone.bsuid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, err := contacts.ParsePhone(c.raw, c.country)
			if !errs.Is(err, c.code) {
				t.Fatalf("ParsePhone(%q) = %+v, %v; want %s", c.raw, p, err, c.code)
			}
		})
	}
}

func TestRecipientKeyOfWaID(t *testing.T) {
	t.Parallel()
	for waID, want := range map[string]string{
		"966501234567": "p:+966501234567", "5511987654321": "p:+551187654321", "551187654321": "p:+551187654321",
		"5215512345678": "p:+525512345678", "5491123456789": "p:+541123456789",
	} {
		if got := contacts.RecipientKeyOfWaID(waID); got != want {
			t.Errorf("RecipientKeyOfWaID(%s) = %s, want %s", waID, got, want)
		}
	}
}

// Whatever is accepted is E.164, parses to itself again, and has the key that
// Meta's own form of it would get.
func FuzzParsePhone(f *testing.F) {
	for _, s := range []string{"+966 50-123 4567", "٠٥٠١٢٣٤٥٦٧", "9.66501E+11", "tel:+1 (212) 555-2368", "SA.1349", "+5511987654321", "0501234567/0507654321"} {
		f.Add(s, "SA")
		f.Add(s, "")
	}
	f.Fuzz(func(t *testing.T, raw, country string) {
		p, err := contacts.ParsePhone(raw, country)
		if err != nil {
			if _, ok := errs.As(err); !ok {
				t.Fatalf("a refusal without a code: %v", err)
			}
			return
		}
		if p.E164[0] != '+' || len(p.E164) > 16 || strings.Trim(p.E164[1:], "0123456789") != "" {
			t.Fatalf("not E.164: %q", p.E164)
		}
		again, err := contacts.ParsePhone(p.E164, "")
		if err != nil || again != p {
			t.Fatalf("%+v parses again to %+v, %v", p, again, err)
		}
		if contacts.RecipientKeyOfWaID(p.E164[1:]) != p.RecipientKey() {
			t.Fatalf("%+v has another key as wa_id", p)
		}
	})
}

func BenchmarkParsePhone(b *testing.B) {
	for b.Loop() {
		if _, err := contacts.ParsePhone("050 123 4567", "SA"); err != nil {
			b.Fatal(err)
		}
	}
}
