package errs

var catalogueMessages = []Entry{}
