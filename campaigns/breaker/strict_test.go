package breaker_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"bareed/campaigns/breaker"
	"bareed/internal/errs"
)

// Each threshold that holds something is the stricter of both, whichever of the
// two is asked; the others are the present ones.
func TestStricter(t *testing.T) {
	t.Parallel()
	strict := breaker.Thresholds{OptOutsOver: ptr(0.5), OptOutsAfter: ptr(int64(50)), FailuresOver: ptr(5.0), UndeliverableOver: ptr(10.0),
		AnswersOf: ptr(100), ServerErrorsOver: ptr(10.0), ServerErrorsRetry: ptr(300), HeldMost: ptr(int64(10)), WaveWait: ptr(60),
		WaveAnswered: ptr(95.0), WaveLongest: ptr(600)}
	tight, usual := breaker.Limits{}.Resolve(strict), breaker.Default()
	loosened := usual.Stricter(tight) // tight was kept, the workspace is back at the default
	tightened := tight.Stricter(usual)
	if !reflect.DeepEqual(loosened, tight) || !reflect.DeepEqual(tightened, tight) {
		t.Errorf("of %+v\nand the default: %+v\nor %+v", tight, loosened, tightened)
	}
	free := breaker.Limits{}.Resolve(breaker.Thresholds{CanaryPeople: ptr(int64(9000)), WaveShares: &[]float64{50}, WavesFrom: ptr(int64(100)),
		ServerErrorsSeconds: ptr(120), CanaryOrder: ptr(breaker.Random), ReadsBelow: ptr(50.0), ListOver: ptr(10.0)})
	if got := free.Stricter(usual); !reflect.DeepEqual(got, free) {
		t.Errorf("what is neither stricter nor looser: %+v, want %+v", got, free)
	}
	mixed := breaker.Limits{}.Resolve(breaker.Thresholds{OptOutsOver: ptr(1.0), WaveWait: ptr(10)}).Stricter(usual)
	if mixed.OptOutsOver != 1 || mixed.WaveWait != 30 {
		t.Errorf("stricter in one, looser in the other: %+v", mixed)
	}
}

// Waves that were switched off since, and rules too, hold on for a run under way.
func TestStricterOfSwitches(t *testing.T) {
	t.Parallel()
	usual, off := breaker.Default(), breaker.Default()
	off.Waves, off.Off = breaker.Never, []string{breaker.Failures}
	if got := off.Stricter(usual); got.Waves != breaker.ByRisk || len(got.Off) != 0 {
		t.Errorf("switched off since: %+v", got)
	}
	if got := usual.Stricter(off); got.Waves != breaker.ByRisk || len(got.Off) != 0 {
		t.Errorf("switched on since: %+v", got)
	}
	if got := off.Stricter(off); got.Waves != breaker.Never || !slices.Equal(got.Off, off.Off) {
		t.Errorf("off all the time: %+v", got)
	}
}

// A policy that was kept reads as it was written: else every look would keep it anew.
func TestAPolicyIsKeptAsItIs(t *testing.T) {
	t.Parallel()
	p := breaker.Limits{}.Resolve(breaker.Thresholds{OptOutsOver: ptr(0.7)})
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var back breaker.Policy
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(p.Stricter(back), back) {
		t.Errorf("%+v\nbecame %+v", p, back)
	}
}

// A rule is switched off only where the operator permits it; it is measured then
// and holds nothing.
func TestRulesThatAreOff(t *testing.T) {
	t.Parallel()
	off := func(rules ...string) breaker.Thresholds { return breaker.Thresholds{Off: &rules} }
	limits, err := breaker.ParseLimits("optional=failures_high+opt_outs_high, held_most=10..100", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		limits breaker.Limits
		rules  []string
		at     string // of the fault; empty: taken
		code   string
	}{
		{"permitted", limits, []string{breaker.Failures, breaker.OptOuts}, "", ""},
		{"not permitted", limits, []string{breaker.Undeliverable}, "/off/0", "breaker.not_optional"},
		{"the operator permits none", breaker.Limits{}, []string{breaker.Failures}, "/off/0", "breaker.not_optional"},
		{"Meta's own word", limits, []string{breaker.Failures, breaker.ServerErrors}, "/off/1", "breaker.unknown_value"},
		{"none", limits, nil, "", ""},
	} {
		e, _ := errs.As(tt.limits.Check(off(tt.rules...)))
		if tt.at == "" && e != nil || tt.at != "" && (e == nil || len(e.Fields) != 1 || e.Fields[0].Pointer != tt.at || e.Fields[0].Code != tt.code) {
			t.Errorf("%s: %+v, want %s at %s", tt.name, e, tt.code, tt.at)
		}
	}
	figures := breaker.Figures{Answers: 500, Failed: 400}
	p := limits.Resolve(off(breaker.Failures))
	if len(p.Judge(figures)) != 0 {
		t.Errorf("it holds: %+v", p.Judge(figures))
	}
	for _, x := range p.Measure(figures) {
		if x.Reason == breaker.Failures && !(x.Off && x.Over) {
			t.Errorf("it is not measured: %+v", x)
		}
	}
	if p = (breaker.Limits{}).Resolve(off(breaker.Failures)); len(p.Judge(figures)) != 1 {
		t.Error("the operator permits it no longer, and it does not hold")
	}
	for _, bad := range []string{"optional=", "optional=meta_unwell", "optional=failures_high+"} {
		if _, err := breaker.ParseLimits(bad, ""); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
