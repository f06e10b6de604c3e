package breaker_test

import (
	"slices"
	"testing"
	"time"

	"bareed/campaigns/breaker"
	"bareed/internal/errs"
)

// Each threshold of the default policy, at it and one beyond it, and below its sample.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		figures breaker.Figures
		want    []string // reasons
	}{
		{"nothing", breaker.Figures{}, nil},
		{"opt-outs at the threshold", breaker.Figures{Delivered: 400, OptOuts: 6}, nil},
		{"opt-outs beyond it", breaker.Figures{Delivered: 400, OptOuts: 7}, []string{breaker.OptOuts}},
		{"opt-outs of too few", breaker.Figures{Delivered: 299, OptOuts: 100}, nil},
		{"opt-outs of just enough", breaker.Figures{Delivered: 300, OptOuts: 5}, []string{breaker.OptOuts}},
		{"failures at the threshold", breaker.Figures{Answers: 500, Failed: 50}, nil},
		{"failures beyond it", breaker.Figures{Answers: 500, Failed: 51}, []string{breaker.Failures}},
		{"failures of too few", breaker.Figures{Answers: 499, Failed: 499}, nil},
		{"a bad list", breaker.Figures{DeliverableOf: 500, Undelivered: 126}, []string{breaker.Undeliverable}},
		{"a list at the threshold", breaker.Figures{DeliverableOf: 500, Undelivered: 125}, nil},
		{"Meta unwell", breaker.Figures{Requests: 100, ServerErrors: 21}, []string{breaker.ServerErrors}},
		{"Meta at the threshold", breaker.Figures{Requests: 100, ServerErrors: 20}, nil},
		{"Meta, too few requests", breaker.Figures{Requests: 9, ServerErrors: 9}, nil},
		{"held, one less", breaker.Figures{Held: 499}, nil},
		{"held enough", breaker.Figures{Held: 500}, []string{breaker.HeldByMeta}},
		{"all of it, the heaviest first", breaker.Figures{Delivered: 300, OptOuts: 300, Answers: 500, Failed: 400, DeliverableOf: 500, Undelivered: 500,
			Requests: 50, ServerErrors: 50, Held: 900},
			[]string{breaker.ServerErrors, breaker.OptOuts, breaker.Failures, breaker.Undeliverable, breaker.HeldByMeta}},
	} {
		var got []string
		for _, f := range breaker.Default().Judge(tt.figures) {
			got = append(got, f.Reason)
			if f.Threshold == "" || f.Measured == "" || f.Reach == "" || f.Kind == "" {
				t.Errorf("%s: a finding that does not explain itself: %+v", tt.name, f)
			}
			if (f.Retry > 0) != (f.Reason == breaker.ServerErrors) {
				t.Errorf("%s: %s ends by itself after %s", tt.name, f.Reason, f.Retry)
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestAFindingSaysItsFigures(t *testing.T) {
	t.Parallel()
	f := breaker.Default().Judge(breaker.Figures{Delivered: 420, OptOuts: 9})[0]
	if f.Threshold != "> 1.5 % (≥ 300)" || f.Measured != "2.1 % (9 / 420)" || f.Kind != breaker.Soft || f.Reach != breaker.TheCampaign {
		t.Errorf("%+v", f)
	}
}

func TestHeldEnough(t *testing.T) {
	t.Parallel()
	p := breaker.Default()
	if p.HeldEnough(451) || !p.HeldEnough(450) {
		t.Error("of 500, the wait ends at 450")
	}
	if p.HeldMost = 1; p.HeldEnough(1) || !p.HeldEnough(0) {
		t.Error("of 1, the wait ends at 0")
	}
}

func TestWavesOf(t *testing.T) {
	t.Parallel()
	fresh := func(people int64) breaker.Sending {
		return breaker.Sending{People: people, Purpose: "marketing", NewTemplate: true, Quality: "GREEN"}
	}
	with := func(s breaker.Sending, change func(*breaker.Sending)) breaker.Sending { change(&s); return s }
	for _, tt := range []struct {
		name    string
		sending breaker.Sending
		change  func(*breaker.Policy)
		want    []int64
	}{
		{"a million", fresh(1_000_000), nil, []int64{10_000, 50_000, 250_000, 1_000_000}},
		{"fifty thousand", fresh(50_000), nil, []int64{500, 2500, 12_500, 50_000}},
		{"ten thousand: 5 per cent is the canary", fresh(10_000), nil, []int64{500, 2500, 10_000}},
		{"a thousand", fresh(1000), nil, []int64{500, 1000}},
		{"under a thousand", fresh(999), nil, nil},
		{"nothing new", with(fresh(5000), func(s *breaker.Sending) { s.NewTemplate = false }), nil, nil},
		{"nothing new, always", with(fresh(5000), func(s *breaker.Sending) { s.NewTemplate = false }),
			func(p *breaker.Policy) { p.Waves = breaker.Always }, []int64{500, 1250, 5000}},
		{"low quality", with(fresh(2000), func(s *breaker.Sending) { s.NewTemplate, s.Quality = false, "YELLOW" }), nil, []int64{500, 2000}},
		{"never", fresh(1_000_000), func(p *breaker.Policy) { p.Waves = breaker.Never }, nil},
		{"utility", with(fresh(2000), func(s *breaker.Sending) { s.Purpose = "utility" }), nil, []int64{500, 2000}},
		{"utility, if the workspace says so", with(fresh(2000), func(s *breaker.Sending) { s.Purpose = "utility" }),
			func(p *breaker.Policy) { p.WavesUtility = false }, nil},
		{"authentication", with(fresh(2000), func(s *breaker.Sending) { s.Purpose = "authentication" }), nil, nil},
		{"everybody's own time", with(fresh(2000), func(s *breaker.Sending) { s.OwnTime = true }), nil, nil},
		{"a canary of everybody is none", fresh(2000), func(p *breaker.Policy) { p.CanaryPeople = 2000 }, nil},
	} {
		p := breaker.Default()
		if tt.change != nil {
			tt.change(&p)
		}
		if got := p.WavesOf(tt.sending); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	all := breaker.Sending{NewTemplate: true, NewNumber: true, NewPeople: true, Quality: "RED"}.Risks()
	if !slices.Equal(all, []string{"new_template", "new_number", "new_people", "quality"}) {
		t.Errorf("risks: %v", all)
	}
}

func TestGate(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		gate  breaker.Gate
		waits string
		at    time.Duration
	}{
		{"just left", breaker.Gate{Accepted: 500, Answered: 500}, breaker.WaitsTime, 30 * time.Minute},
		{"one second early", breaker.Gate{Since: 30*time.Minute - time.Second, Accepted: 500, Answered: 500}, breaker.WaitsTime, 30 * time.Minute},
		{"half an hour, enough answers", breaker.Gate{Since: 30 * time.Minute, Accepted: 500, Answered: 400}, breaker.Opens, 30 * time.Minute},
		{"half an hour, one answer too few", breaker.Gate{Since: 30 * time.Minute, Accepted: 500, Answered: 399}, breaker.WaitsAnswer, 2 * time.Hour},
		{"two hours", breaker.Gate{Since: 2 * time.Hour, Accepted: 500}, breaker.Opens, 2 * time.Hour},
		{"nothing was accepted", breaker.Gate{Since: 30 * time.Minute}, breaker.Opens, 30 * time.Minute},
		{"held", breaker.Gate{Since: 3 * time.Hour, Accepted: 500, Answered: 500, Stopped: true}, breaker.WaitsStop, 30 * time.Minute},
	} {
		if waits, at := breaker.Default().Pass(tt.gate); waits != tt.waits || at != tt.at {
			t.Errorf("%s: waits for %q until %s, want %q until %s", tt.name, waits, at, tt.waits, tt.at)
		}
	}
}

func ptr[T any](v T) *T { return &v }

func TestSettingsOverEachOther(t *testing.T) {
	t.Parallel()
	limits, err := breaker.ParseLimits("opt_outs_over=0.5..3, held_most=10..100", breaker.Never)
	if err != nil {
		t.Fatal(err)
	}
	p := limits.Resolve()
	if p.Waves != breaker.Never || p.HeldMost != 100 || p.OptOutsOver != 1.5 {
		t.Errorf("the operator's own: %+v", p)
	}
	workspace := breaker.Thresholds{Waves: ptr(breaker.Always), OptOutsOver: ptr(2.0), WaveShares: &[]float64{10, 99.5}}
	campaign := breaker.Thresholds{OptOutsOver: ptr(4.0), WaveWait: ptr(5)}
	p = limits.Resolve(workspace, campaign)
	if p.Waves != breaker.Always || p.OptOutsOver != 3 || p.WaveWait != 5 || p.FailuresOver != 10 || !slices.Equal(p.WaveShares, []float64{10, 99}) {
		t.Errorf("campaign over workspace, within the limits: %+v", p)
	}
	if (*workspace.WaveShares)[1] != 99.5 {
		t.Error("the settings themselves were changed")
	}
	if got := (breaker.Limits{}).Resolve(); got.Waves != breaker.ByRisk || got.HeldMost != 500 {
		t.Errorf("without limits: %+v", got)
	}
}

func TestLimitsRefuse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		settings breaker.Thresholds
		at       string // pointer of the one fault; empty: taken
	}{
		{"nothing", breaker.Thresholds{}, ""},
		{"too loose", breaker.Thresholds{OptOutsOver: ptr(50.0)}, "/opt_outs_over"},
		{"too strict", breaker.Thresholds{AnswersOf: ptr(1)}, "/answers_of"},
		{"a mode that there is not", breaker.Thresholds{Waves: ptr("sometimes")}, "/waves"},
		{"an order that there is not", breaker.Thresholds{CanaryOrder: ptr("best")}, "/canary_order"},
		{"shares that fall", breaker.Thresholds{WaveShares: &[]float64{25, 5}}, "/wave_shares"},
		{"a longest wait shorter than the wait", breaker.Thresholds{WaveWait: ptr(60), WaveLongest: ptr(30)}, "/wave_longest"},
		{"all at its end", breaker.Thresholds{HeldMost: ptr(int64(5000)), WaveWait: ptr(1), WaveLongest: ptr(1), CanaryOrder: ptr("random")}, ""},
	} {
		err := breaker.Limits{}.Check(tt.settings)
		e, _ := errs.As(err)
		switch {
		case tt.at == "" && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.at != "" && (e == nil || len(e.Fields) != 1 || e.Fields[0].Pointer != tt.at):
			t.Errorf("%s: %v, want one fault at %s", tt.name, err, tt.at)
		}
	}
	for _, bad := range []string{"opt_outs=1..2", "held_most=5", "held_most=9..1", "held_most=a..b"} {
		if _, err := breaker.ParseLimits(bad, ""); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func FuzzParseLimits(f *testing.F) {
	f.Add("opt_outs_over=0.5..3, held_most=10..100")
	f.Add("=,..")
	f.Fuzz(func(t *testing.T, text string) {
		l, err := breaker.ParseLimits(text, "")
		if err != nil {
			return
		}
		for name, r := range l.All() {
			if r.Least > r.Most {
				t.Errorf("%q gives %s %v", text, name, r)
			}
		}
	})
}
