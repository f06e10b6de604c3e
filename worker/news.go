package worker

import (
	"log/slog"
	"sync"
)

// news are the codes nobody knows that this process has met, so that each is
// told once.
type news struct {
	mu  sync.Mutex
	met map[int]bool
}

// newsKept bounds them: a Meta that answers nonsense is told of a hundred times.
const newsKept = 100

func (n *news) tell(log *slog.Logger, code int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.met[code] || len(n.met) >= newsKept {
		return
	}
	if n.met == nil {
		n.met = map[int]bool{}
	}
	n.met[code] = true
	log.Warn("Meta gave an error code that is not known", "code", code)
}
