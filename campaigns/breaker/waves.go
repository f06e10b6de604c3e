package breaker

import (
	"math"
	"time"
)

// Sending is what decides whether a run goes in waves.
type Sending struct {
	People  int64  // who may be sent to, by the check it was launched on
	Purpose string // marketing, utility, authentication
	OwnTime bool   // at everybody's own local time: there is no order of ordinals

	NewTemplate bool   // this wording has not reached a thousand people yet
	NewNumber   bool   // this number has not either
	NewPeople   bool   // an audience that no campaign was sent to yet
	Quality     string // of the number, as Meta writes it
}

// Risks names why a run goes in waves by risk; empty: nothing does.
func (s Sending) Risks() []string {
	var list []string
	for _, r := range []struct {
		is   bool
		name string
	}{
		{s.NewTemplate, "new_template"}, {s.NewNumber, "new_number"}, {s.NewPeople, "new_people"},
		{s.Quality == "YELLOW" || s.Quality == "RED", "quality"},
	} {
		if r.is {
			list = append(list, r.name)
		}
	}
	return list
}

// WavesOf is how many people may be sent to by the end of each wave, in rising
// order; the last wave is everybody. Nil: no waves.
func (p Policy) WavesOf(s Sending) []int64 {
	switch {
	case s.OwnTime, s.People < p.WavesFrom, p.Waves == Never:
		return nil
	case s.Purpose != "marketing" && !(s.Purpose == "utility" && p.WavesUtility):
		return nil
	case p.Waves == ByRisk && len(s.Risks()) == 0:
		return nil
	}
	list := []int64{max(p.CanaryPeople, part(s.People, p.CanaryShare))}
	for _, share := range p.WaveShares {
		if n := part(s.People, share); n > list[len(list)-1] {
			list = append(list, n)
		}
	}
	for len(list) > 0 && list[len(list)-1] >= s.People {
		list = list[:len(list)-1]
	}
	if len(list) == 0 {
		return nil
	}
	return append(list, s.People)
}

func part(people int64, share float64) int64 { return int64(math.Ceil(float64(people) * share / 100)) }

// Gate is how a wave stands whose messages have left.
type Gate struct {
	Since    time.Duration // since the last of them left
	Accepted int64         // by Meta, in this wave and before
	Answered int64         // of those: delivered or failed
	Stopped  bool          // a stop holds the campaign: a gate that failed, or a person
}

// What a gate waits for.
const (
	Opens       = ""        // nothing: the next wave may go
	WaitsStop   = "stop"    // a stop to be cleared
	WaitsTime   = "time"    // the shortest wait
	WaitsAnswer = "answers" // more of what was accepted to be delivered or to fail
)

// Pass tells what the gate waits for, and after how long since the wave left time
// alone opens it or is no longer what it waits for.
func (p Policy) Pass(g Gate) (waits string, at time.Duration) {
	wait, longest := time.Duration(p.WaveWait)*time.Minute, time.Duration(p.WaveLongest)*time.Minute
	longest = max(longest, wait)
	enough := float64(g.Answered)*100 >= p.WaveAnswered*float64(g.Accepted)
	switch {
	case g.Stopped:
		return WaitsStop, wait
	case g.Since < wait:
		return WaitsTime, wait
	case !enough && g.Since < longest:
		return WaitsAnswer, longest
	}
	return Opens, g.Since
}
