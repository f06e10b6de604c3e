package sandbox

import (
	"time"

	"bareed/whatsapp"
)

// limit is the number of people; 0 without a limit.
func (p *portfolio) limit() int {
	n, unlimited, ok := whatsapp.ParseTier(p.Limit)
	if unlimited || !ok {
		return 0
	}
	return n
}

// inWindow needs mu; a person who wrote in the last 24 hours may be answered freely.
func (n *number) inWindow(wa string, now time.Time) bool { return now.Before(n.windows[wa]) }
