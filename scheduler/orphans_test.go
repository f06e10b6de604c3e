package scheduler

import (
	"testing"
	"time"

	"bareed/internal/id"
)

// Every process died with its slots full: what it had claimed is not sent again,
// and does not keep the rest from being fed either. The new processes answer at
// once, so the window opens again although the old claims are still there.
func TestFeedGoesOnWhenEveryWorkerDied(t *testing.T) {
	t.Parallel()
	f := newFeeding(t, 1500, 0)
	clock := clockOf(t, f.b)
	lost := map[int32]bool{}
	for range 25 { // both times as much as the window takes
		clock.tick(t, 0, 0)
		for _, m := range f.ticks(t, 1) {
			lost[m.Ordinal] = true
			f.claim(t, m, "dead")
		}
	}
	if len(lost) < 16 {
		t.Fatalf("%d handed over before", len(lost))
	}
	clock.tick(t, 0, 0)
	if more := f.ticks(t, 1); len(more) != 0 {
		t.Fatalf("%d more: the window never fills", len(more))
	}
	again := 0
	for second := 1; second <= 10; second++ {
		for k := range 5 {
			clock.tick(t, second, k)
			got := f.ticks(t, 1)
			f.accept(t, got)
			again += len(got)
			for _, m := range got {
				if lost[m.Ordinal] {
					t.Fatalf("message %d, which a dead process may have sent, is offered again", m.Ordinal)
				}
			}
		}
	}
	if again < 100 {
		t.Errorf("%d handed over in ten seconds after the workers died with %d", again, len(lost))
	}
}

// A number that does not answer keeps a small window, however often it is tried.
func TestSlowNumberKeepsItsSmallWindow(t *testing.T) {
	t.Parallel()
	f := newFeeding(t, 1500, 0)
	clock := clockOf(t, f.b)
	for range 25 {
		clock.tick(t, 0, 0)
		for _, m := range f.ticks(t, 1) {
			f.claim(t, m, "alive")
		}
	}
	more := 0
	for second := 1; second <= 15; second++ {
		for k := range 5 {
			clock.tick(t, second, k)
			for _, m := range f.ticks(t, 1) {
				f.claim(t, m, "alive")
				more++
			}
		}
	}
	if more > 40 {
		t.Errorf("%d more handed over while nothing was answered", more)
	}
}

// tick has the database's clock show the k-th tick of a second from the base, by
// the feeder's own time and not by what the machine takes for it.
func (c movedClock) tick(t *testing.T, second, k int) {
	t.Helper()
	c.to(t, c.base.Add(time.Duration(second)*time.Second+time.Duration(k)*tick))
}

// claim takes the message as a process does and answers nothing.
func (f *feeding) claim(t *testing.T, m id.Message, by string) {
	t.Helper()
	f.b.Do(t, `update message set state = 'sending', attempt = 1, claim_token = gen_random_uuid(), claimed_by = $4, claimed_at = bareed_now(),
		claim_deadline = bareed_now() + interval '45 seconds' where workspace_id = $1 and run_id = $2 and ordinal = $3`,
		f.b.Workspace, m.Run, m.Ordinal, by)
}
