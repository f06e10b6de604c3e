package pg

import (
	"context"
	"errors"
	"io"
	"net"

	"github.com/jackc/pgx/v5/pgconn"
)

// fault is what a refusal by the server says about trying again.
type fault int

const (
	none       fault = iota // the server refused nothing
	particular              // this statement, as it is
	unfit                   // a value in it: it will never succeed
	momentary               // says nothing of the statement
	repeatable              // as momentary, and the same may succeed at once
	full                    // as momentary, for want of space, memory or connections
)

// faults are PostgreSQL's codes, and classes of codes, from its appendix A,
// "Error Codes"; what is not listed is particular.
var faults = map[string]fault{
	"40001": repeatable, // serialization failure
	"40P01": repeatable, // deadlock

	"08":    momentary, // connection
	"25006": momentary, // read only
	"25P03": momentary, // idle in transaction
	"40":    momentary, // rolled back
	"53":    full,      // resources
	"55006": momentary, // in use
	"55P03": momentary, // lock not available
	"57":    momentary, // an operator's intervention: cancelled, shut down

	"22": unfit, // data: a zero byte in a text
	"23": unfit, // a constraint forbids it
	"54": unfit, // too long for an index
}

// faultOf tells what the server refused, none when err is not the server's.
func faultOf(err error) fault {
	var pe *pgconn.PgError
	if !errors.As(err, &pe) {
		return none
	}
	if f, listed := faults[pe.Code]; listed {
		return f
	}
	if f, listed := faults[pe.Code[:min(2, len(pe.Code))]]; listed {
		return f
	}
	return particular
}

// Repeatable tells whether the same transaction may succeed when run again:
// a serialization failure or a deadlock.
func Repeatable(err error) bool { return faultOf(err) == repeatable }

// Full tells whether the server refused for want of space or memory.
func Full(err error) bool { return faultOf(err) == full }

// Unfit tells whether the server refused a value itself, such as a zero byte in
// a text, one that a constraint forbids or one too long for an index: the same
// statement will never succeed.
func Unfit(err error) bool { return faultOf(err) == unfit }

// Particular tells whether the server refused this statement, where another with
// other values may succeed at once.
func Particular(err error) bool {
	f := faultOf(err)
	return f == particular || f == unfit
}

// Momentary tells whether err speaks of the server or of this moment and so says
// nothing of what was to be done: the connection was refused or lost, a lock, a
// deadlock or a serialization failure, no room for one more connection, a
// statement that was cancelled, a server that stops or only reads for now, or
// the end of the caller's context.
func Momentary(err error) bool {
	switch faultOf(err) {
	case momentary, repeatable, full:
		return true
	case particular, unfit:
		return false
	}
	var connecting *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connecting) || errors.As(err, &network) || pgconn.SafeToRetry(err) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}

// Violates tells whether err is a violation of the named constraint or unique index.
func Violates(err error, constraint string) bool {
	var pe *pgconn.PgError
	return errors.As(err, &pe) && pe.Code[:2] == "23" && pe.ConstraintName == constraint
}
