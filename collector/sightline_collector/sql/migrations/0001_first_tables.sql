-- Makes the tables of the first version: each from its file in tables/.
@create *_v1
