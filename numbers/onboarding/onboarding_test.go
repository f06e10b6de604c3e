package onboarding_test

import (
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/internal/errs"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
	"bareed/numbers"
	"bareed/numbers/onboarding"
	"bareed/whatsapp"
)

// What Meta says is kept, a difference becomes history once, what it leaves out
// stays, and nobody else's account is read.
func TestApply(t *testing.T) {
	t.Parallel()
	b := fixture.NewBroadcast(t, pgtest.New(t))
	on, off := true, false
	for _, tc := range []struct {
		told    whatsapp.WABA
		want    onboarding.Account
		changes []string
	}{
		{whatsapp.WABA{}, onboarding.Account{}, nil},
		{whatsapp.WABA{MarketingStatus: "eligible", CloudMarketing: &on}, onboarding.Account{Status: "ELIGIBLE"}, nil},
		{whatsapp.WABA{MarketingStatus: "ELIGIBLE", CloudMarketing: &on}, onboarding.Account{Status: "ELIGIBLE"}, nil},
		{whatsapp.WABA{MarketingStatus: "ONBOARDED"}, onboarding.Account{Status: "ONBOARDED"}, []string{"marketing_messages: ELIGIBLE to ONBOARDED"}},
		{whatsapp.WABA{CloudMarketing: &off}, onboarding.Account{Status: "ONBOARDED", CloudOff: true}, []string{"cloud_marketing: on to off"}},
		{whatsapp.WABA{}, onboarding.Account{Status: "ONBOARDED", CloudOff: true}, nil},
		{whatsapp.WABA{MarketingStatus: "INELIGIBLE_INACTIVE_OR_RESTRICTED", CloudMarketing: &on}, onboarding.Account{Status: "INELIGIBLE_INACTIVE_OR_RESTRICTED"},
			[]string{"marketing_messages: ONBOARDED to INELIGIBLE_INACTIVE_OR_RESTRICTED", "cloud_marketing: off to on"}},
	} {
		var said []string
		var is onboarding.Account
		b.In(t, func(tx pgx.Tx) error {
			changes, err := onboarding.Apply(t.Context(), tx, b.Workspace, b.WABA, tc.told)
			for _, c := range changes {
				said = append(said, c.What+": "+c.Was+" to "+c.Became)
				if c.WABA != b.WABA || c.Source != numbers.FromPoll {
					t.Errorf("%+v", c)
				}
			}
			if err == nil {
				is, err = onboarding.Get(t.Context(), tx, b.Workspace, b.WABA)
			}
			return err
		})
		if is != tc.want || !slices.Equal(said, tc.changes) {
			t.Errorf("%+v: %+v %q, want %+v %q", tc.told, is, said, tc.want, tc.changes)
		}
	}
	b.In(t, func(tx pgx.Tx) error {
		past, err := numbers.History(t.Context(), tx, b.Workspace, 10, b.WABA.String())
		if len(past) != 4 {
			t.Errorf("%d lines of history: %+v", len(past), past)
		}
		if _, err := onboarding.Get(t.Context(), tx, b.Workspace, id.New[id.WABA]()); !errs.Is(err, "not_found") {
			t.Errorf("an account of nobody: %v", err)
		}
		return err
	})
	stranger := fixture.NewBroadcast(t, b.Pool)
	stranger.In(t, func(tx pgx.Tx) error {
		if _, err := onboarding.Get(t.Context(), tx, stranger.Workspace, b.WABA); !errs.Is(err, "not_found") {
			t.Errorf("a stranger's account: %v", err)
		}
		return nil
	})
}

func TestReady(t *testing.T) {
	t.Parallel()
	for status, want := range map[string][3]bool{ // known, ready, ineligible
		"": {}, "ONBOARDED": {true, true, false}, "ELIGIBLE": {true, false, false}, "PENDING_VALID_PAYMENT_METHOD": {true, false, false},
		"PENDING_INTERNAL_SETUP": {true, false, false}, "INELIGIBLE_COUNTRY_NOT_SUPPORTED": {true, false, true}, "SOMETHING_NEW": {true, false, false},
	} {
		a := onboarding.Account{Status: status}
		if got := [3]bool{a.Known(), a.Ready(), a.Ineligible()}; got != want {
			t.Errorf("%q: %v, want %v", status, got, want)
		}
	}
}
