//go:build unix

package rig

import (
	"context"
	"fmt"

	"bareed/sandbox"
	"bareed/sandbox/journal"
)

// Journal reads what the sandbox noted behind a mark, the number of requests then;
// 0 for all of it.
func (r *Rig) Journal(ctx context.Context, after int64) (all []journal.Entry, err error) {
	for {
		var page struct {
			Entries []journal.Entry
			Next    int64
		}
		if err := r.Control(ctx, fmt.Sprintf("/sandbox/journal?limit=50000&after=%d", after), nil, &page); err != nil {
			return all, err
		}
		if len(page.Entries) == 0 {
			return all, nil
		}
		all, after = append(all, page.Entries...), page.Next
	}
}

// Summary is what the sandbox has counted.
func (r *Rig) Summary(ctx context.Context) (sum sandbox.Summary, err error) {
	return sum, r.Control(ctx, "/sandbox/journal/summary", nil, &sum)
}
