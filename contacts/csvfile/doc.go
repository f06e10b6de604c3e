// Package csvfile reads CSV files that people upload: it finds encoding,
// delimiter and header by itself, refuses what is none, names the row, line and
// column of every fault, and holds no more of a file than one record, whatever
// is in it.
//
// contacts imports by it. It knows columns and words, no table and no rule
// about people.
package csvfile
