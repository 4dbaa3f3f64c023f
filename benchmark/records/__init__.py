"""What a run leaves behind: the record's model, its identity, the state of code and machine, its values.

Nothing here runs a method or opens a data set; boards and pages read records through this room alone.
"""
