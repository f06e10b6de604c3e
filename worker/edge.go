package worker

// edge is a moment of a message's life in this process. Tests end the work there,
// as a kill would: everything before it has happened, nothing after it will.
type edge int

const (
	beforeClaim edge = iota
	afterClaim       // committed, and nothing has left
	afterAnswer      // Meta answered, and nothing of it is written
	afterRecord
)

// reach tells a test that an edge was reached. Only tests in this package can set
// what is told.
func (w *Worker) reach(e edge) {
	if w.edges != nil {
		w.edges(e)
	}
}
