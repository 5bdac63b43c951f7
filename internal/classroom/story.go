package classroom

import "errors"

// ErrNoStage says that a story cannot be played, because there is no database
// to play it on.
var ErrNoStage = errors.New("a story is played on a database of its own")
