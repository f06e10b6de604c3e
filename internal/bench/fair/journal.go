//go:build unix

package fair

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"bareed/internal/id"
)

// summary is what is read of the sandbox's count.
type summary struct {
	Requests int64            `json:"requests"`
	ByRun    map[string]int64 `json:"accepted_by_run"`
}

// of is how many messages of a run Meta has accepted.
func (s summary) of(run id.Run) int64 { return s.ByRun[hex.EncodeToString(run[:])] }

func (t *town) summary(ctx context.Context) (summary, error) {
	var sum summary
	return sum, t.Rig.Control(ctx, "/sandbox/journal/summary", nil, &sum)
}

// arrivals are the instants of accepted messages behind a mark, in order, by
// Meta's id of the number.
func (t *town) arrivals(ctx context.Context, after int64) (map[string][]time.Time, error) {
	all := map[string][]time.Time{}
	for {
		var page struct {
			Entries []struct {
				At       time.Time `json:"at"`
				NumberID string    `json:"phone_number_id"`
				Accepted bool      `json:"accepted"`
			} `json:"entries"`
			Next int64 `json:"next"`
		}
		if err := t.Rig.Control(ctx, fmt.Sprintf("/sandbox/journal?limit=50000&after=%d", after), nil, &page); err != nil {
			return nil, err
		}
		if len(page.Entries) == 0 {
			break
		}
		for _, e := range page.Entries {
			if e.Accepted {
				all[e.NumberID] = append(all[e.NumberID], e.At)
			}
		}
		after = page.Next
	}
	for _, at := range all {
		slices.SortFunc(at, time.Time.Compare)
	}
	return all, nil
}
