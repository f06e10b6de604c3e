// Package breaker owns the rules by which a campaign is held or let go further:
// the policy with every threshold, the limits that the operator sets to it, the
// verdict on measured figures, and when a wave's gate opens. All of it is pure.
//
// campaigns/waves measures, asks it and opens the stops; api and web show it. It
// must not know the database, HTTP or Meta.
package breaker

// The modes of waves.
const (
	ByRisk = "by_risk" // where template, number or people are new, or the number's quality is not high
	Always = "always"
	Never  = "never"
)

// The orders of the canary. Both are the planner's to carry out.
const (
	Engaged = "engaged"
	Random  = "random"
)

// Policy is every threshold in force. Shares are per cent.
type Policy struct {
	OptOutsOver         float64   `json:"opt_outs_over" doc:"Holds when more than this per cent of those delivered to opted out since."`
	OptOutsAfter        int64     `json:"opt_outs_after" doc:"Not judged before so many were delivered."`
	FailuresOver        float64   `json:"failures_over" doc:"Holds when more than this per cent of the last answers are failures, 131026 and 131049 left out."`
	UndeliverableOver   float64   `json:"undeliverable_over" doc:"Holds when more than this per cent of the last answers are 131026: a bad list."`
	AnswersOf           int       `json:"answers_of" doc:"How many of the last answered messages are looked at; not judged before there are so many."`
	ServerErrorsOver    float64   `json:"server_errors_over" doc:"Holds when more than this per cent of a number's requests of the last seconds got a 5xx."`
	ServerErrorsSeconds int       `json:"server_errors_seconds"`
	ServerErrorsRetry   int       `json:"server_errors_retry" doc:"The hold ends by itself after so many seconds; what goes first then is the probe."`
	HeldMost            int64     `json:"held_most" doc:"Sending waits while Meta holds so many messages of a run for quality assessment."`
	Waves               string    `json:"waves" enum:"by_risk,always,never"`
	WavesFrom           int64     `json:"waves_from" doc:"Fewer people than this are no waves."`
	WavesUtility        bool      `json:"waves_utility" doc:"Also for utility templates."`
	CanaryPeople        int64     `json:"canary_people" doc:"The first wave is the larger of this and canary_share."`
	CanaryShare         float64   `json:"canary_share"`
	CanaryOrder         string    `json:"canary_order" enum:"engaged,random" doc:"Who is in the canary: those who read or agreed most recently, or people by chance."`
	WaveShares          []float64 `json:"wave_shares" doc:"Per cent of the people reached by the end of each further wave; the rest is the last one."`
	WaveWait            int       `json:"wave_wait" doc:"Minutes after a wave has left before its gate may open."`
	WaveAnswered        float64   `json:"wave_answered" doc:"Per cent of a wave's accepted messages that must be delivered or failed by then."`
	WaveLongest         int       `json:"wave_longest" doc:"Minutes after which missing answers no longer keep the gate closed."`
	ReadsBelow          float64   `json:"reads_below" doc:"Warns when the share that read in a run's first hour is less than this per cent of the number's median. Holds nothing."`
	ReadsAfter          int64     `json:"reads_after" doc:"Only first hours in which so many were delivered are compared."`
	ListOver            float64   `json:"list_over" doc:"Warns when more than this per cent of the answers are 131026, 131049 or 130472: the list. Holds nothing."`
	Off                 []string  `json:"off" doc:"Rules that are switched off, by the reason of their stop; the operator says which may be."`
}

// Thresholds is what a workspace or a campaign sets; nil leaves a part to the next
// wider one.
type Thresholds struct {
	OptOutsOver         *float64   `json:"opt_outs_over,omitempty"`
	OptOutsAfter        *int64     `json:"opt_outs_after,omitempty"`
	FailuresOver        *float64   `json:"failures_over,omitempty"`
	UndeliverableOver   *float64   `json:"undeliverable_over,omitempty"`
	AnswersOf           *int       `json:"answers_of,omitempty"`
	ServerErrorsOver    *float64   `json:"server_errors_over,omitempty"`
	ServerErrorsSeconds *int       `json:"server_errors_seconds,omitempty"`
	ServerErrorsRetry   *int       `json:"server_errors_retry,omitempty"`
	HeldMost            *int64     `json:"held_most,omitempty"`
	Waves               *string    `json:"waves,omitempty" enum:"by_risk,always,never"`
	WavesFrom           *int64     `json:"waves_from,omitempty"`
	WavesUtility        *bool      `json:"waves_utility,omitempty"`
	CanaryPeople        *int64     `json:"canary_people,omitempty"`
	CanaryShare         *float64   `json:"canary_share,omitempty"`
	CanaryOrder         *string    `json:"canary_order,omitempty" enum:"engaged,random"`
	WaveShares          *[]float64 `json:"wave_shares,omitempty"`
	WaveWait            *int       `json:"wave_wait,omitempty"`
	WaveAnswered        *float64   `json:"wave_answered,omitempty"`
	WaveLongest         *int       `json:"wave_longest,omitempty"`
	ReadsBelow          *float64   `json:"reads_below,omitempty"`
	ReadsAfter          *int64     `json:"reads_after,omitempty"`
	ListOver            *float64   `json:"list_over,omitempty"`
	Off                 *[]string  `json:"off,omitempty" doc:"Of opt_outs_high, failures_high and undeliverable_high, those that the operator permits."`
}

// Default is the policy of those who set nothing.
func Default() Policy {
	return Policy{
		OptOutsOver: 1.5, OptOutsAfter: 300, FailuresOver: 10, UndeliverableOver: 25, AnswersOf: 500,
		ServerErrorsOver: 20, ServerErrorsSeconds: 60, ServerErrorsRetry: 60, HeldMost: 500,
		Waves: ByRisk, WavesFrom: 1000, WavesUtility: true, CanaryPeople: 500, CanaryShare: 1, CanaryOrder: Engaged,
		WaveShares: []float64{5, 25}, WaveWait: 30, WaveAnswered: 80, WaveLongest: 120,
		ReadsBelow: 30, ReadsAfter: 100, ListOver: 40, Off: []string{},
	}
}

// over lays settings over a policy: what is nil stays.
func (s Thresholds) over(p Policy) Policy {
	put(&p.OptOutsOver, s.OptOutsOver)
	put(&p.OptOutsAfter, s.OptOutsAfter)
	put(&p.FailuresOver, s.FailuresOver)
	put(&p.UndeliverableOver, s.UndeliverableOver)
	put(&p.AnswersOf, s.AnswersOf)
	put(&p.ServerErrorsOver, s.ServerErrorsOver)
	put(&p.ServerErrorsSeconds, s.ServerErrorsSeconds)
	put(&p.ServerErrorsRetry, s.ServerErrorsRetry)
	put(&p.HeldMost, s.HeldMost)
	put(&p.Waves, s.Waves)
	put(&p.WavesFrom, s.WavesFrom)
	put(&p.WavesUtility, s.WavesUtility)
	put(&p.CanaryPeople, s.CanaryPeople)
	put(&p.CanaryShare, s.CanaryShare)
	put(&p.CanaryOrder, s.CanaryOrder)
	put(&p.WaveShares, s.WaveShares)
	put(&p.WaveWait, s.WaveWait)
	put(&p.WaveAnswered, s.WaveAnswered)
	put(&p.WaveLongest, s.WaveLongest)
	put(&p.ReadsBelow, s.ReadsBelow)
	put(&p.ReadsAfter, s.ReadsAfter)
	put(&p.ListOver, s.ListOver)
	put(&p.Off, s.Off)
	return p
}

func put[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}
