package codes_test

import (
	"testing"
	"time"

	"bareed/whatsapp/codes"
)

// Of all codes only 131009 means another while a template is being prepared, and
// what it then means is a stop of the campaign that ends by itself.
func TestSyncing(t *testing.T) {
	t.Parallel()
	for _, e := range codes.All("en") {
		as, ok := codes.Syncing(e.Code)
		if ok != (e.Code == 131009) || codes.Waiting(e.Code) != map[bool]int{true: 134101, false: e.Code}[ok] {
			t.Errorf("%d means %d, %v", e.Code, as, ok)
		}
		if c := codes.Classify(as); ok && (c.Outcome != codes.StopSending || c.Scope != codes.ScopeCampaign || c.StopFor != 10*time.Minute) {
			t.Errorf("%+v", c)
		}
	}
	for reason, want := range map[string]int{"meta_134101": 134101, "meta_131063": 131063, "template_missing": 132001, "refused_in_a_row": 132001} {
		if got := codes.OfStop(reason, 132001); got != want {
			t.Errorf("%s is told by %d, want %d", reason, got, want)
		}
	}
}
