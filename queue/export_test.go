package queue

// FormatPayload is what the dashboard prints for a payload.
var FormatPayload = formatPayload
