package breaker

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// The reasons of the stops this policy opens. Those of quality, status, template,
// account, payment, token and spam come from Meta's own word and are messages'.
const (
	OptOuts       = "opt_outs_high"      // soft, the campaign: a person decides
	Failures      = "failures_high"      // soft, the campaign
	Undeliverable = "undeliverable_high" // soft, the campaign: a bad list
	ServerErrors  = "meta_unwell"        // hard, the number; ends by itself, then what goes first is the probe
	HeldByMeta    = "held_by_meta"       // pacing, the run; ends when Meta has judged
)

// Reasons lists them.
func Reasons() []string { return []string{OptOuts, Failures, Undeliverable, ServerErrors, HeldByMeta} }

// Kind is how a finding holds.
type Kind string

// The kinds.
const (
	Hard   Kind = "hard"    // now, whoever watches
	Soft   Kind = "soft"    // a person decides whether it goes on
	Pacing Kind = "pacing"  // nothing is wrong: it waits for Meta
	Warn   Kind = "warning" // a person should look; nothing is held
)

// Reach is what a finding holds.
type Reach string

// The reaches, as the scopes of stops.
const (
	TheCampaign Reach = "campaign"
	TheNumber   Reach = "number"
	TheRun      Reach = "run"
)

// Figures is what was measured of a run. Each rule's own begin where a person last
// let it pass.
type Figures struct {
	Delivered int64 // delivered or later
	OptOuts   int64 // of people this run had messaged, since

	Answers, Failed            int // of the last answers: all, and failures but 131026 and 131049
	DeliverableOf, Undelivered int // of the last answers: all, and 131026

	Requests, ServerErrors int // of the number's last seconds: all, and answers 5xx

	Held int64 // by Meta, for quality assessment
}

// Finding is a rule with what was measured of it: what it holds, why, and what
// happens next.
type Finding struct {
	Kind      Kind          `json:"kind" enum:"hard,soft,pacing,warning"`
	Reach     Reach         `json:"reach" enum:"campaign,number,run"`
	Reason    string        `json:"reason" doc:"Of the stop it opens."`
	Threshold string        `json:"threshold" doc:"In figures, so that it needs no language."`
	Measured  string        `json:"measured" doc:"The share with its sample."`
	Judged    bool          `json:"judged" doc:"The sample is large enough."`
	Over      bool          `json:"over" doc:"It holds."`
	Off       bool          `json:"off" doc:"It is switched off: it would hold, and does not."`
	Retry     time.Duration `json:"-"` // ends by itself after so long; 0: not by time
}

// Measure holds the figures against every rule, in the order of their weight.
func (p Policy) Measure(f Figures) []Finding {
	unwell := Finding{Kind: Hard, Reach: TheNumber, Reason: ServerErrors, Retry: time.Duration(p.ServerErrorsRetry) * time.Second,
		Threshold: fmt.Sprintf("> %s / %d s", percent(p.ServerErrorsOver), p.ServerErrorsSeconds)}
	left := Finding{Kind: Soft, Reach: TheCampaign, Reason: OptOuts, Threshold: fmt.Sprintf("> %s (≥ %d)", percent(p.OptOutsOver), p.OptOutsAfter)}
	failed := Finding{Kind: Soft, Reach: TheCampaign, Reason: Failures, Threshold: fmt.Sprintf("> %s (%d)", percent(p.FailuresOver), p.AnswersOf)}
	undelivered := Finding{Kind: Soft, Reach: TheCampaign, Reason: Undeliverable, Threshold: fmt.Sprintf("> %s (%d)", percent(p.UndeliverableOver), p.AnswersOf)}
	held := Finding{Kind: Pacing, Reach: TheRun, Reason: HeldByMeta, Threshold: "≥ " + strconv.FormatInt(p.HeldMost, 10),
		Measured: strconv.FormatInt(max(f.Held, 0), 10), Judged: true, Over: f.Held >= p.HeldMost}
	list := []Finding{
		unwell.of(int64(f.ServerErrors), int64(f.Requests), leastRequests, p.ServerErrorsOver),
		left.of(f.OptOuts, f.Delivered, p.OptOutsAfter, p.OptOutsOver),
		failed.of(int64(f.Failed), int64(f.Answers), int64(p.AnswersOf), p.FailuresOver),
		undelivered.of(int64(f.Undelivered), int64(f.DeliverableOf), int64(p.AnswersOf), p.UndeliverableOver),
		held,
	}
	for i := range list {
		list[i].Off = slices.Contains(p.Off, list[i].Reason)
	}
	return list
}

// Judge is what of Measure holds.
func (p Policy) Judge(f Figures) []Finding {
	return slices.DeleteFunc(p.Measure(f), func(x Finding) bool { return !x.Over || x.Off })
}

// of fills in a share of a whole: 2.1 % (9 / 420).
func (x Finding) of(part, whole, least int64, most float64) Finding {
	share := float64(part) * 100 / float64(max(whole, 1))
	x.Measured = fmt.Sprintf("%.1f %% (%d / %d)", share, part, whole)
	x.Judged = whole >= least
	x.Over = x.Judged && float64(part)*100 > most*float64(whole)
	return x
}

// leastRequests is the sample below which a share of 5xx says nothing: while a
// number rests, a probe goes out every five seconds of each worker process.
const leastRequests = 10

// HeldEnough tells whether a wait for Meta's assessment is over: a tenth below
// where it began, so that it does not begin anew with the next message.
func (p Policy) HeldEnough(held int64) bool { return held <= p.HeldMost-(p.HeldMost+9)/10 }

func percent(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) + " %" }
