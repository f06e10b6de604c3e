//go:build unix

package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"bareed/internal/bench/report"
	"bareed/limits"
)

const (
	// bareConns is the connections of the ceiling, as many as a worker has slots.
	bareConns = 64
	bareTime  = 700 * time.Millisecond
	// unlimited is a rate that nothing here can reach, so that the engine is the bound.
	unlimited = 100_000
	// sendLimit is how long one run may take before the measurement gives up.
	sendLimit = 60 * time.Second
)

// sends measures runs from the first to the last POST, the engine being the
// bound, beside a client that only POSTs.
func (p *product) sends(ctx context.Context, workers int) error {
	for _, latency := range []int{0, 20} {
		name := fmt.Sprintf("%d worker%s, Meta answers after %d ms", workers, map[bool]string{true: "s"}[workers > 1], latency)
		p.stand.say("sends: %s", name)
		if err := p.scenario(ctx, map[string]any{"latency_ms": latency}); err != nil {
			return err
		}
		round, cpu, err := p.sendRound(ctx)
		if err != nil {
			return err
		}
		f := report.Sum("end to end", name, "bare HTTP client, 64 connections", []report.Pair{round})
		f.Note = fmt.Sprintf("%d messages, statuses applied meanwhile", p.stand.People)
		p.stand.report.Figures = append(p.stand.report.Figures, f)
		p.stand.report.CPU = append(p.stand.report.CPU, report.CPU{Run: name, Processes: cpu})
	}
	return p.scenario(ctx, map[string]any{"latency_ms": 0})
}

// sendRound measures the ceiling and one run.
func (p *product) sendRound(ctx context.Context) (report.Pair, map[string]float64, error) {
	n, err := p.addNumber(ctx, unlimited)
	if err != nil {
		return report.Pair{}, nil, err
	}
	if err := p.know(ctx, n, unlimited); err != nil {
		return report.Pair{}, nil, err
	}
	ceiling, err := p.bareRate(ctx)
	if err != nil {
		return report.Pair{}, nil, err
	}
	if err := p.untilQuiet(ctx); err != nil {
		return report.Pair{}, nil, fmt.Errorf("wait for the ceiling's webhooks: %w", err)
	}
	d, err := p.addRun(ctx, n, p.stand.People)
	if err != nil {
		return report.Pair{}, nil, err
	}
	mark, err := p.mark(ctx)
	if err != nil {
		return report.Pair{}, nil, err
	}
	before := p.cpu(ctx)
	if err := p.begin(ctx, d); err != nil {
		return report.Pair{}, nil, err
	}
	if err := p.untilSent(ctx, d.run, d.count, sendLimit); err != nil {
		return report.Pair{}, nil, err
	}
	if err := p.untilQuiet(ctx); err != nil {
		return report.Pair{}, nil, fmt.Errorf("wait for the statuses: %w", err)
	}
	cpu := p.cpu(ctx).since(before, d.count)
	at, err := p.arrivals(ctx, n, mark)
	if err != nil {
		return report.Pair{}, nil, err
	}
	return report.Pair{Ours: perSecond(at), Ceiling: ceiling}, cpu, p.end(ctx, d)
}

// bareRate is the ceiling: POSTs a second of a client that does nothing else.
func (p *product) bareRate(ctx context.Context) (float64, error) {
	var next atomic.Int64
	url := p.rig.Sandbox + "/v25.0/" + bareNumber + "/messages"
	return rate(ctx, bareConns, bareTime, func(ctx context.Context) (int, error) {
		body, err := p.bareBody(int(next.Add(1)))
		if err != nil {
			return 0, err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			return 0, err
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+metaToken.Raw())
		res, err := p.client.Do(req)
		if err != nil {
			return 0, err
		}
		defer res.Body.Close()
		answer, err := io.ReadAll(res.Body)
		if err == nil && res.StatusCode != http.StatusOK {
			err = fmt.Errorf("the sandbox refused the ceiling's POST: %d %s", res.StatusCode, answer)
		}
		return 1, err
	})
}

// fidelities holds the product to its demand at Meta's two rates.
func (p *product) fidelities(ctx context.Context) error {
	for _, f := range []struct {
		rate int
		d    time.Duration
	}{{80, 10 * time.Second}, {1000, 15 * time.Second}} {
		p.stand.say("rate fidelity at %d/s", f.rate)
		got, err := p.fidelity(ctx, f.rate, f.d)
		if err != nil {
			return err
		}
		p.stand.report.Rates = append(p.stand.report.Rates, got)
	}
	return nil
}

const (
	// settle is left out at a run's beginning, where the rate is being taken up.
	settle = time.Second
)

// fidelity measures a run that is longer than the measurement, by the sandbox's clock.
func (p *product) fidelity(ctx context.Context, rate int, d time.Duration) (report.Fidelity, error) {
	f := report.Fidelity{PerSecond: rate, Effective: limits.Effective(rate, 0), Seconds: d.Seconds()}
	n, err := p.addNumber(ctx, rate)
	if err != nil {
		return f, err
	}
	if err := p.know(ctx, n, rate); err != nil {
		return f, err
	}
	if f.Ceiling, err = p.bareRate(ctx); err != nil {
		return f, err
	}
	if err := p.untilQuiet(ctx); err != nil {
		return f, err
	}
	run, err := p.addRun(ctx, n, int(f.Effective*(d+settle+time.Second).Seconds()))
	if err != nil {
		return f, err
	}
	mark, err := p.mark(ctx)
	if err != nil {
		return f, err
	}
	if err := p.begin(ctx, run); err != nil {
		return f, err
	}
	if err := p.untilSent(ctx, run.run, run.count, d+sendLimit); err != nil {
		return f, err
	}
	if err := p.judge(ctx, &f, n.PhoneNumberID, run, mark, d); err != nil {
		return f, err
	}
	return f, p.end(ctx, run)
}

// sqlGivenBack counts the claims that were neither accepted nor left a line
// among the attempts.
const sqlGivenBack = `
select greatest(0,
    (select coalesce(sum(attempt), 0) - count(accepted_at) from message where run_id = $1)
    - (select count(distinct (ordinal, attempt)) from message_attempt where run_id = $1))`

const sqlAgain = `select 100.0 * (sum(attempt) - count(*)) / count(*) from message where run_id = $1`

func (p *product) judge(ctx context.Context, f *report.Fidelity, metaID string, run draft, mark int64, d time.Duration) error {
	at, err := p.arrivals(ctx, run.number, mark)
	if err != nil {
		return err
	}
	steady := within(at, at[0].Add(settle), d)
	f.Sent = float64(len(steady)) / d.Seconds()
	f.Percent = 100 * f.Sent / f.Effective
	sum, err := p.rig.Summary(ctx)
	if err != nil {
		return err
	}
	f.Most, f.Throttled = sum.Numbers[metaID].MaxRequestsPerSecond, sum.ByCode["130429"]
	if err := p.owner.QueryRow(ctx, sqlGivenBack, run.run).Scan(&f.GivenBack); err != nil {
		return fmt.Errorf("count what was given back: %w", err)
	}
	if err := p.owner.QueryRow(ctx, sqlAgain, run.run).Scan(&f.Again); err != nil {
		return fmt.Errorf("count what was claimed again: %w", err)
	}
	return nil
}
