// Package contacts owns people and how they are reached: phone numbers and
// other identities, attributes, audiences, and the import of CSV files from
// upload to the last row.
//
// api, web and worker call it; consents and campaigns build on it. It must not
// know what a person agreed to: an import hands what its rows say to the
// function it is given, and consents decides.
package contacts
