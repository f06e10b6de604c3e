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

// overManagementLimit needs mu; it counts a management call of a WABA in the last hour.
func (w *waba) overManagementLimit(now time.Time, perHour int) bool {
	if perHour <= 0 {
		return false
	}
	i := 0
	for i < len(w.calls) && !w.calls[i].After(now.Add(-time.Hour)) {
		i++
	}
	w.calls = w.calls[i:]
	if len(w.calls) >= perHour {
		return true
	}
	w.calls = append(w.calls, now)
	return false
}
