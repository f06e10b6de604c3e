package billing_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"bareed/billing"
)

func TestDecimals(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text   string
		micros int64
		back   string // empty: refused
	}{
		{"0", 0, "0.00"}, {"0.0384", 38_400, "0.0384"}, {"12.5", 12_500_000, "12.50"}, {"0.000001", 1, "0.000001"},
		{"1000", 1_000_000_000, "1000.00"}, {"007.10", 7_100_000, "7.10"},
		{"", 0, ""}, {".5", 0, ""}, {"5.", 0, ""}, {"-1", 0, ""}, {"+1", 0, ""}, {"1e3", 0, ""}, {"1,5", 0, ""}, {"0.0000001", 0, ""},
		{"1 000", 0, ""}, {"٣", 0, ""}, {"1000.000001", 0, ""}, {"99999999999999999999", 0, ""}, {"1.2.3", 0, ""},
	} {
		got, ok := billing.ParseDecimal(tt.text, 1_000_000_000)
		if ok != (tt.back != "") || got != tt.micros {
			t.Errorf("%q reads as %d, %v", tt.text, got, ok)
		}
		if ok && billing.Decimal(got) != tt.back {
			t.Errorf("%q writes as %q, want %q", tt.text, billing.Decimal(got), tt.back)
		}
	}
	if got := (billing.Money{Micros: -38_400, Currency: "XTS"}).String(); got != "-0.0384 XTS" {
		t.Error(got)
	}
}

func FuzzDecimal(f *testing.F) {
	f.Add(int64(0))
	f.Add(int64(38_400))
	f.Add(int64(9_999_999_999_999_999))
	f.Fuzz(func(t *testing.T, n int64) {
		if n < 0 || n > 100_000_000_000*billing.Unit {
			return
		}
		if back, ok := billing.ParseDecimal(billing.Decimal(n), n); !ok || back != n {
			t.Fatalf("%d writes as %s and reads as %d, %v", n, billing.Decimal(n), back, ok)
		}
	})
}

// The day before, the day, and the day after each change.
func TestRulesAtTheirBorders(t *testing.T) {
	t.Parallel()
	const none, free = "none", "free"
	for _, tt := range []struct {
		category string
		window   billing.Window
		day      string
		want     string // none, free, or whose price
		tiers    bool
	}{
		{"marketing", billing.Closed, "2025-06-30", none, false},
		{"marketing", billing.Closed, "2025-07-01", "marketing", true},
		{"marketing", billing.Open, "2025-07-01", "marketing", true},
		{"marketing", billing.FreeEntry, "2025-07-01", free, false},
		{"utility", billing.Closed, "2025-06-30", none, false},
		{"utility", billing.Closed, "2025-07-01", "utility", true},
		{"utility", billing.Open, "2025-07-01", free, true},
		{"utility", billing.Open, "2026-09-30", free, true},
		{"utility", billing.Open, "2026-10-01", "utility", true},
		{"utility", billing.FreeEntry, "2026-09-30", free, false},
		{"utility", billing.FreeEntry, "2026-10-01", free, false},
		{"authentication", billing.Open, "2026-09-30", "authentication", true},
		{"authentication", billing.Closed, "2026-10-01", "authentication", true},
		{"authentication_international", billing.Closed, "2026-10-01", "authentication_international", true},
		{"service", billing.Open, "2026-09-30", free, false},
		{"service", billing.Open, "2026-10-01", "utility", false},
		{"service", billing.FreeEntry, "2026-10-01", free, false},
		{"marketing_lite", billing.Closed, "2026-10-01", "marketing_lite", true},
		{"referral_conversion", billing.Open, "2026-10-01", free, false},
		{"group_marketing", billing.Closed, "2026-10-01", none, false},
	} {
		rule, ok := billing.RuleOf(tt.category, tt.window, day(t, tt.day))
		got := none
		switch {
		case ok && rule.Charged:
			got = rule.As
		case ok:
			got = free
		}
		if got != tt.want || ok && rule.Tiers != tt.tiers {
			t.Errorf("%s %v on %s: %s, tiers %v", tt.category, tt.window, tt.day, got, rule.Tiers)
		}
	}
	for _, r := range billing.Rules() {
		if r.Source == "" || r.From.Before(billing.PerMessage) {
			t.Errorf("a rule without a source or of conversations: %+v", r)
		}
	}
}

func TestReceipts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		r    billing.Receipt
		day  string
		want billing.Verdict
	}{
		{"a regular one", billing.Receipt{"PMP", "regular", "marketing", true}, "2026-11-22", billing.Verdict{Charged: true, As: "marketing", Tiers: true}},
		{"regular, billable gone from the object", billing.Receipt{"PMP", "regular", "utility", false}, "2026-11-22", billing.Verdict{Charged: true, As: "utility", Tiers: true}},
		{"service after the change", billing.Receipt{"PMP", "regular", "service", true}, "2026-10-01", billing.Verdict{Charged: true, As: "utility"}},
		{"service before it, if Meta says so", billing.Receipt{"PMP", "regular", "service", true}, "2026-09-30", billing.Verdict{Charged: true, As: "utility"}},
		{"free in a window", billing.Receipt{"PMP", "free_customer_service", "utility", false}, "2026-09-30", billing.Verdict{Free: "free_customer_service"}},
		{"free after the change, if Meta says so", billing.Receipt{"PMP", "free_customer_service", "utility", false}, "2026-11-22", billing.Verdict{Free: "free_customer_service"}},
		{"the free entry point", billing.Receipt{"PMP", "free_entry_point", "referral_conversion", false}, "2026-11-22", billing.Verdict{Free: "free_entry_point"}},
		{"no type, billable", billing.Receipt{"PMP", "", "marketing", true}, "2025-07-02", billing.Verdict{Charged: true, As: "marketing", Tiers: true}},
		{"no type, not billable", billing.Receipt{"PMP", "", "utility", false}, "2025-07-02", billing.Verdict{Free: "not_billable"}},
		{"an unknown type", billing.Receipt{"PMP", "promotional", "marketing", true}, "2026-11-22", billing.Verdict{Unknown: "odd_type"}},
		{"an unknown category", billing.Receipt{"PMP", "regular", "group_marketing", true}, "2026-11-22", billing.Verdict{Unknown: "odd_category"}},
		{"per message before the day", billing.Receipt{"PMP", "regular", "marketing", true}, "2025-06-30", billing.Verdict{Charged: true, As: "marketing", Tiers: true}},
		{"a conversation", billing.Receipt{"CBP", "regular", "marketing", true}, "2025-06-30", billing.Verdict{Charged: true, As: "marketing"}},
		{"in a conversation that was paid", billing.Receipt{"CBP", "regular", "marketing", false}, "2025-06-30", billing.Verdict{Free: "not_billable"}},
		{"a free conversation", billing.Receipt{"CBP", "free_entry_point", "referral_conversion", false}, "2025-06-30", billing.Verdict{Free: "free_entry_point"}},
		{"a conversation after the day", billing.Receipt{"CBP", "regular", "marketing", true}, "2025-07-01", billing.Verdict{Unknown: "odd_model"}},
		{"another model", billing.Receipt{"NBP", "regular", "marketing", true}, "2026-11-22", billing.Verdict{Unknown: "odd_model"}},
		{"nothing told", billing.Receipt{}, "2026-11-22", billing.Verdict{Unknown: "not_told"}},
	} {
		if got := tt.r.Judge(day(t, tt.day)); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

func TestMarkets(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ country, day, want string }{
		{"SA", "2026-11-22", "SA"}, {"US", "2026-11-22", "north_america"}, {"CA", "2026-11-22", "north_america"},
		{"KE", "2026-11-22", "rest_of_africa"}, {"KW", "2026-09-30", "rest_of_middle_east"}, {"KW", "2026-10-01", "KW"},
		{"MA", "2026-09-30", "rest_of_africa"}, {"MA", "2026-10-01", "MA"}, {"KZ", "2026-09-30", "other"}, {"KZ", "2026-10-01", "KZ"},
		{"IS", "2026-11-22", "other"}, {"", "2026-11-22", ""},
	} {
		if got := billing.Market(tt.country, day(t, tt.day)); got != tt.want {
			t.Errorf("%s on %s is of %s, want %s", tt.country, tt.day, got, tt.want)
		}
	}
	for cell, want := range map[string]string{
		"Saudi Arabia": "SA", " saudi arabia ": "SA", "SA": "SA", "Türkiye": "TR", "Turkey": "TR", "North America": "north_america",
		"Rest of Central & Eastern Europe": "rest_of_central_eastern_europe", "Rest of Central and Eastern Europe": "rest_of_central_eastern_europe",
		"REST OF AFRICA": "rest_of_africa", "Other": "other", "Thailand": "TH", "UAE": "AE", "Côte d’Ivoire": "CI", "": "", "Atlantis": "",
	} {
		if got, ok := billing.ParseMarket(cell); got != want || ok != (want != "") {
			t.Errorf("%q reads as %q, %v", cell, got, ok)
		}
	}
	if n := len(billing.Regions()); n != 8 || !slices.Contains(billing.Regions(), "other") {
		t.Errorf("regions %v", billing.Regions())
	}
	if en, ar := billing.CountryName("en", "SA"), billing.CountryName("ar", "SA"); en != "Saudi Arabia" || !strings.Contains(ar, "السعودية") {
		t.Errorf("%q, %q", en, ar)
	}
}

func day(t testing.TB, s string) time.Time {
	t.Helper()
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
