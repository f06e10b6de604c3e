//go:build unix

package firings

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"bareed/internal/clock"
	"bareed/internal/rig"
)

// kill kills the leading scheduler after a moment, measures until the other leads,
// and starts the killed one again.
func (t *trial) kill(ctx context.Context, after time.Duration) error {
	leader, err := t.leader(ctx, "")
	if err != nil {
		return err
	}
	clock.Pause(ctx, after)
	p := t.Rig.Process(leader)
	p.Kill()
	<-p.Done()
	t.killed++
	died := time.Now()
	if _, err := t.leader(ctx, leader); err != nil {
		return err
	}
	took := time.Since(died)
	t.slowest = max(t.slowest, took)
	if took > handing {
		t.breach("%.1f s passed from a leader's death to the next one", took.Seconds())
	}
	if err := t.Rig.StartProcess(ctx, leader); err != nil {
		return err
	}
	return t.Rig.WaitReady(ctx, leader)
}

// leader waits for a scheduler that leads, other than the one that is dead.
func (t *trial) leader(ctx context.Context, dead string) (name string, err error) {
	wait, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	err = rig.Until(wait, 20*time.Millisecond, func() (bool, error) {
		for _, s := range []string{"scheduler1", "scheduler2"} {
			if s != dead && t.leads(wait, s) {
				name = s
				return true, nil
			}
		}
		return false, nil
	})
	if err != nil {
		return "", errors.New("no scheduler led within a minute")
	}
	return name, nil
}

func (t *trial) leads(ctx context.Context, scheduler string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.Rig.Metrics(scheduler)+"/metrics", nil)
	if err != nil {
		return false
	}
	res, err := t.Rig.HTTP.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		if figure, ok := strings.CutPrefix(lines.Text(), "bareed_scheduler_leading "); ok {
			return figure == "1"
		}
	}
	return false
}
