package ratecard_test

import (
	"bytes"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"bareed/billing/ratecard"
	"bareed/internal/errs"
)

const plain = "market,category,currency,rate\nSaudi Arabia,marketing,XTS,11.11\nRest of Africa,utility,XTS,0.2222\n"

func TestParse(t *testing.T) {
	t.Parallel()
	want := []ratecard.Rate{{Market: "SA", Category: "marketing", From: 1, Micros: 11_110_000}, {Market: "rest_of_africa", Category: "utility", From: 1, Micros: 222_200}}
	for name, file := range map[string]string{
		"plain":              plain,
		"a mark":             "\ufeff" + plain,
		"CRLF":               strings.ReplaceAll(plain, "\n", "\r\n"),
		"comments":           "# FAKE\n# not Meta's\n" + plain,
		"comments and mark":  "\ufeff# FAKE\r\n" + plain,
		"semicolons":         strings.ReplaceAll(plain, ",", ";"),
		"decimal commas":     strings.ReplaceAll(strings.ReplaceAll(plain, ",", ";"), ".", ","),
		"tabs":               strings.ReplaceAll(plain, ",", "\t"),
		"other order":        "rate,currency,category,market\n11.11,XTS,marketing,SA\n0.2222,xts,Utility,rest of africa\n",
		"empty volume cells": "market,category,currency,rate,volume_from,volume_to\nSA,marketing,XTS,11.11,,\nRest of Africa,utility,XTS,0.2222,0,\n",
		"a quoted value":     strings.Replace(plain, "Saudi Arabia", `"Saudi Arabia"`, 1),
	} {
		got, err := ratecard.Parse([]byte(file))
		if err != nil || got.Currency != "XTS" || !slices.Equal(got.Rates, want) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// Each fault is told with its row, line and column.
func TestParseRefuses(t *testing.T) {
	t.Parallel()
	const tiers = "market,category,currency,rate,volume_from,volume_to\n"
	for _, tt := range []struct {
		name, file, code string
		row, line        int64
		column           string
	}{
		{"nothing", "", "csv.empty", 0, 0, ""},
		{"a header alone", "market,category,currency,rate\n", "csv.no_rows", 0, 0, ""},
		{"comments alone", "# a\n# b", "csv.empty", 0, 0, ""},
		{"a spreadsheet", "PK\x03\x04 [Content_Types].xml", "csv.is_spreadsheet", 0, 0, ""},
		{"no rate", "market,category,currency\nSA,marketing,XTS\n", "ratecard.column_missing", 0, 0, ""},
		{"one tier column", "market,category,currency,rate,volume_from\nSA,marketing,XTS,1,1\n", "ratecard.column_missing", 0, 0, ""},
		{"another column", "market,category,currency,rate,note\nSA,marketing,XTS,1,x\n", "ratecard.column_unknown", 0, 0, ""},
		{"a row too short", "market,category,currency,rate\nSA,marketing,XTS\n", "csv.field_count", 0, 0, ""},
		{"no market", "market,category,currency,rate\nAtlantis,marketing,XTS,1\n", "ratecard.market", 1, 2, "market"},
		{"below comments", "# one\n# two\nmarket,category,currency,rate\nSA,marketing,XTS,1\nAtlantis,marketing,XTS,1\n", "ratecard.market", 2, 5, "market"},
		{"no category", "market,category,currency,rate\nSA,promotion,XTS,1\n", "ratecard.category", 1, 2, "category"},
		{"no currency", "market,category,currency,rate\nSA,marketing,ZZZ,1\n", "ratecard.currency", 1, 2, "currency"},
		{"two currencies", "market,category,currency,rate\nSA,marketing,XTS,1\nSA,utility,USD,1\n", "ratecard.currency_mixed", 2, 3, "currency"},
		{"a price below nothing", "market,category,currency,rate\nSA,marketing,XTS,-1\n", "ratecard.rate", 1, 2, "rate"},
		{"no price", "market,category,currency,rate\nSA,marketing,XTS,n/a\n", "ratecard.rate", 1, 2, "rate"},
		{"an exponent", "market,category,currency,rate\nSA,marketing,XTS,1e-2\n", "ratecard.rate", 1, 2, "rate"},
		{"seven places", "market,category,currency,rate\nSA,marketing,XTS,0.0000001\n", "ratecard.rate", 1, 2, "rate"},
		{"a decimal comma between commas", "market,category,currency,rate\nSA,marketing,XTS,\"0,5\"\n", "ratecard.rate", 1, 2, "rate"},
		{"thousands", "market;category;currency;rate\nSA;marketing;XTS;1.000,5\n", "ratecard.rate", 1, 2, "rate"},
		{"a slip of the point", "market,category,currency,rate\nSA,marketing,XTS,10000.000001\n", "ratecard.rate", 1, 2, "rate"},
		{"twice", "market,category,currency,rate\nSA,marketing,XTS,1\nSaudi Arabia,Marketing,XTS,2\n", "ratecard.twice", 2, 3, "market"},
		{"a tier backwards", tiers + "SA,utility,XTS,1,100,10\n", "ratecard.volume_order", 1, 2, "volume_to"},
		{"letters in a tier", tiers + "SA,utility,XTS,1,1,many\n", "ratecard.volume", 1, 2, "volume_to"},
		{"a gap", tiers + "SA,utility,XTS,2,0,100\nSA,utility,XTS,1,102,\n", "ratecard.tier_gap", 2, 3, "volume_from"},
		{"an overlap", tiers + "SA,utility,XTS,2,0,100\nSA,utility,XTS,1,100,\n", "ratecard.tier_overlap", 2, 3, "volume_from"},
		{"behind the end", tiers + "SA,utility,XTS,2,0,\nSA,utility,XTS,1,5,\n", "ratecard.tier_overlap", 2, 3, "volume_from"},
		{"not from the first", tiers + "SA,utility,XTS,1,5,\n", "ratecard.tier_gap", 1, 2, "volume_from"},
	} {
		_, err := ratecard.Parse([]byte(tt.file))
		e, ok := errs.As(err)
		if !ok {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if tt.row == 0 {
			if e.Code != tt.code {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		if len(e.Fields) != 1 || e.Fields[0].Code != tt.code || e.Fields[0].Row != tt.row || e.Fields[0].Line != tt.line || e.Fields[0].Column != tt.column {
			t.Errorf("%s: %+v", tt.name, e.Fields)
		}
	}
}

func TestParseIsBounded(t *testing.T) {
	t.Parallel()
	if _, err := ratecard.Parse(bytes.Repeat([]byte("a"), ratecard.MaxBytes+1)); !errs.Is(err, "ratecard.too_large") {
		t.Error(err)
	}
	rows := "market,category,currency,rate\n" + strings.Repeat("SA,marketing,XTS,1\n", ratecard.MaxRows+1)
	if _, err := ratecard.Parse([]byte(rows)); !errs.Is(err, "ratecard.too_many_rows") {
		t.Error(err)
	}
	faults := "market,category,currency,rate\n" + strings.Repeat("Atlantis,marketing,XTS,1\n", 50)
	_, err := ratecard.Parse([]byte(faults))
	if e, ok := errs.As(err); !ok || e.Code != "ratecard.rows_more" || len(e.Fields) != 20 {
		t.Error(err)
	}
}

// The sample is a card, and nobody can take it for a real one.
func TestTheSampleIsFake(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../docs/rate-card-FAKE.csv")
	if err != nil {
		t.Fatal(err)
	}
	p, err := ratecard.Parse(b)
	if err != nil || p.Currency != "XTS" || len(p.Rates) < 20 {
		t.Fatalf("%d prices in %s: %v", len(p.Rates), p.Currency, err)
	}
	if head, _, _ := strings.Cut(string(b), "\n"); !strings.HasPrefix(head, "# FAKE") {
		t.Errorf("it begins with %q", head)
	}
	for _, r := range p.Rates {
		if digits := strings.Trim(strconv.FormatInt(r.Micros, 10), "0"); strings.Trim(digits, digits[:1]) != "" {
			t.Errorf("%s %s: %d micros look like a price", r.Market, r.Category, r.Micros)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{plain, "\ufeff# x\n" + plain, strings.ReplaceAll(plain, ",", ";"), "", "#", "market,category,currency,rate,volume_from,volume_to\nSA,utility,XTS,1,0,9\nSA,utility,XTS,1,10,\n",
		"\xff\xfem\x00", "market;category;currency;rate\nSA;marketing;XTS;1,5\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ratecard.Parse(b)
		if err != nil {
			if _, ok := errs.As(err); !ok {
				t.Fatalf("refused without a code: %v", err)
			}
			return
		}
		if len(p.Rates) == 0 || len(p.Currency) != 3 {
			t.Fatalf("taken: %+v", p)
		}
		last := ratecard.Rate{}
		for _, r := range p.Rates {
			if r.Micros < 0 || r.Micros > ratecard.MaxRate || r.Market == "" || r.Category == "" || r.From < 1 || r.To != 0 && r.To < r.From {
				t.Fatalf("taken: %+v", r)
			}
			first := last.Market != r.Market || last.Category != r.Category
			if first && r.From != 1 || !first && r.From != last.To+1 {
				t.Fatalf("tiers with a gap: %+v after %+v", r, last)
			}
			last = r
		}
	})
}
