package breaker

import "slices"

// Stricter is the policy with each threshold that holds something as strict as in
// either: what a run under way goes by when its workspace's policy has changed
// since it began. What cannot be stricter or looser (sizes of waves that are
// written already, the window of Meta's errors, warnings) is p's own.
func (p Policy) Stricter(than Policy) Policy {
	p.WaveShares = slices.Clone(p.WaveShares)
	p.OptOutsOver = min(p.OptOutsOver, than.OptOutsOver)
	p.OptOutsAfter = min(p.OptOutsAfter, than.OptOutsAfter)
	p.FailuresOver = min(p.FailuresOver, than.FailuresOver)
	p.UndeliverableOver = min(p.UndeliverableOver, than.UndeliverableOver)
	p.AnswersOf = min(p.AnswersOf, than.AnswersOf)
	p.ServerErrorsOver = min(p.ServerErrorsOver, than.ServerErrorsOver)
	p.ServerErrorsRetry = max(p.ServerErrorsRetry, than.ServerErrorsRetry)
	p.HeldMost = min(p.HeldMost, than.HeldMost)
	p.WaveWait = max(p.WaveWait, than.WaveWait)
	p.WaveAnswered = max(p.WaveAnswered, than.WaveAnswered)
	p.WaveLongest = max(p.WaveLongest, than.WaveLongest)
	if p.Waves == Never {
		p.Waves = than.Waves
	}
	p.Off = slices.DeleteFunc(slices.Clone(p.Off), func(rule string) bool { return !slices.Contains(than.Off, rule) })
	return p
}
