package whatsapp

import (
	"strconv"
	"strings"
)

// ParseTier reads a messaging limit as Meta writes it (TIER_250, TIER_2K,
// TIER_UNLIMITED, UNTIERED): unique people per rolling 24 hours outside service
// windows. A portfolio without a tier has the smallest one, 250. ok is false for
// a name we do not know.
func ParseTier(name string) (limit int, unlimited, ok bool) {
	name = strings.ToUpper(strings.TrimSpace(name))
	switch name {
	case "TIER_UNLIMITED":
		return 0, true, true
	case "UNTIERED", "TIER_NOT_SET":
		return 250, false, true
	}
	digits, found := strings.CutPrefix(name, "TIER_")
	if !found {
		return 0, false, false
	}
	factor := 1
	if d, thousands := strings.CutSuffix(digits, "K"); thousands {
		digits, factor = d, 1000
	}
	n, err := strconv.Atoi(digits)
	if err != nil || n <= 0 || n > 1_000_000 || strconv.Itoa(n) != digits {
		return 0, false, false
	}
	return n * factor, false, true
}
